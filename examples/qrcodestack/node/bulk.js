// Makes a hundred QR codes by one request, all of them or none; prints how many (plan Advanced).

const api = process.env.QRCS_BASE_URL ?? "http://127.0.0.1:8000/qrcodestack/api/v1";
const headers = { Authorization: `Bearer ${process.env.QRCS_API_KEY}`, "Content-Type": "application/json" };

const items = Array.from({ length: 100 }, (_, index) => ({
  name: `Table ${index + 1}`,
  type: "url",
  destination_url: `https://example.com/menu?table=${index + 1}`,
}));
const body = JSON.stringify({ items });
const answer = await (await fetch(`${api}/qr-codes/bulk`, { method: "POST", headers, body })).json();
if (!answer.success) throw new Error(`${answer.code}: ${JSON.stringify(answer.fields ?? answer.error)}`);
console.log(answer.data.count);
