// Lists all QR codes, page by page, newest first: the id of each.

const api = process.env.QRCS_BASE_URL ?? "http://127.0.0.1:8000/qrcodestack/api/v1";
const headers = { Authorization: `Bearer ${process.env.QRCS_API_KEY}` };

for (let page = 1, pages = 1; page <= pages; page++) {
  const response = await fetch(`${api}/qr-codes?page=${page}&limit=100`, { headers });
  if (response.status === 429) {
    await new Promise((done) => setTimeout(done, 1000 * Number(response.headers.get("retry-after"))));
    page--;
    continue;
  }
  const answer = await response.json();
  if (!answer.success) throw new Error(`${answer.code}: ${answer.error}`);
  for (const code of answer.data) console.log(code.id);
  pages = answer.pagination.total_pages;
}
