// The account, its plan, and what is used of it.

const api = process.env.QRCS_BASE_URL ?? "http://127.0.0.1:8000/qrcodestack/api/v1";
const headers = { Authorization: `Bearer ${process.env.QRCS_API_KEY}` };

const answer = await (await fetch(`${api}/me`, { headers })).json();
if (!answer.success) throw new Error(`${answer.code}: ${answer.error}`);
console.log(JSON.stringify(answer));
