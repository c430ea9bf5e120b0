// Sends a QR code that is printed already elsewhere: update-qr.js ID URL

const api = process.env.QRCS_BASE_URL ?? "http://127.0.0.1:8000/qrcodestack/api/v1";
const headers = { Authorization: `Bearer ${process.env.QRCS_API_KEY}`, "Content-Type": "application/json" };
const [id, destination_url] = process.argv.slice(2);

const body = JSON.stringify({ destination_url });
const answer = await (await fetch(`${api}/qr-codes/${id}`, { method: "PATCH", headers, body })).json();
if (!answer.success) throw new Error(`${answer.code}: ${JSON.stringify(answer.fields ?? answer.error)}`);
console.log(answer.data.destination_url);
