// Makes a QR code, saves its picture as qr.png, and prints where it leads from: create-qr.js NAME URL

import { writeFile } from "node:fs/promises";

const api = process.env.QRCS_BASE_URL ?? "http://127.0.0.1:8000/qrcodestack/api/v1";
const headers = { Authorization: `Bearer ${process.env.QRCS_API_KEY}`, "Content-Type": "application/json" };
const [name, destination_url] = process.argv.slice(2);

const body = JSON.stringify({
  name,
  type: "url",
  destination_url,
  render_customizations: { dot_color: "#1d4ed8", dot_shape: "rounded", frame: "scan-me-bottom" },
});
const answer = await (await fetch(`${api}/qr-codes`, { method: "POST", headers, body })).json();
if (!answer.success) throw new Error(`${answer.code}: ${JSON.stringify(answer.fields ?? answer.error)}`);

const picture = await fetch(`${api}/qr-codes/${answer.data.id}/image?size=1024`, { headers });
await writeFile("qr.png", Buffer.from(await picture.arrayBuffer()));
console.log(answer.data.redirect_url);
