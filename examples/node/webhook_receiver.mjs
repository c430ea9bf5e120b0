// Prints the events that a webhook sends: QREDGE_WEBHOOK_SECRET=whsec_... node webhook_receiver.mjs [PORT]
// Signatures are those of Standard Webhooks 1.0. In front of this belongs what speaks https.

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const secret = Buffer.from(process.env.QREDGE_WEBHOOK_SECRET.replace(/^whsec_/, ""), "base64");
const TOLERANCE_S = 300;
const MAX_BYTES = 1 << 20;

// Ids that were seen: an event may come twice. A receiver of yours keeps them with what it makes of the events.
const seen = new Set();

// Whether one of the signatures is right, and young enough that nobody has sent it again.
function isSigned(id, timestamp, signatures, body) {
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= TOLERANCE_S)) return false;
  const signed = createHmac("sha256", secret).update(`${id}.${timestamp}.`).update(body).digest("base64");
  const expected = Buffer.from(`v1,${signed}`);
  return signatures
    .split(" ")
    .map((each) => Buffer.from(each))
    .some((each) => each.length === expected.length && timingSafeEqual(each, expected));
}

createServer(async (request, response) => {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > MAX_BYTES) return request.destroy();
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  const { "webhook-id": id = "", "webhook-timestamp": timestamp = "", "webhook-signature": signatures = "" } = request.headers;
  if (!isSigned(id, timestamp, signatures, body)) return response.writeHead(401).end();
  response.writeHead(204).end();
  if (seen.has(id)) return;
  seen.add(id);
  const event = JSON.parse(body);
  console.log(event.type, event.timestamp);
}).listen(Number(process.argv[2] ?? 9000), "127.0.0.1");
