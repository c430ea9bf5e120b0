// Makes a QR code with a link of its own, and saves its picture.

import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { request } from "./qredge.mjs";

const answer = await request("POST", "/qr-codes", {
  body: {
    destination: "https://example.com/menu",
    name: "Table 7",
    design: { modules: { shape: "rounded", color: "#203080" } },
  },
  // With it, a request whose answer was lost can be sent again.
  headers: { "Idempotency-Key": randomUUID() },
});
const code = await answer.json();

const picture = await request("GET", `/qr-codes/${code.id}/image?format=png&size=1024`);
await writeFile("table-7.png", Buffer.from(await picture.arrayBuffer()));
console.log(code.short_url);
