// What is known of a QR code's scans: analytics.js ID [FROM [TO]], by days such as 2026-11-20

const api = process.env.QRCS_BASE_URL ?? "http://127.0.0.1:8000/qrcodestack/api/v1";
const headers = { Authorization: `Bearer ${process.env.QRCS_API_KEY}` };
const [id, from, to] = process.argv.slice(2);

const period = new URLSearchParams({ ...(from && { from }), ...(to && { to }) });
const answer = await (await fetch(`${api}/qr-codes/${id}/analytics?${period}`, { headers })).json();
if (!answer.success) throw new Error(`${answer.code}: ${JSON.stringify(answer.fields ?? answer.error)}`);
console.log(JSON.stringify(answer));
