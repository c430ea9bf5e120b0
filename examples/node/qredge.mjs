// Shared by the examples: where the server is, the key, and what to do when it says no.

const api = (process.env.QREDGE_URL ?? "http://127.0.0.1:8000") + "/v1";
const key = process.env.QREDGE_API_KEY;

// The answer. What may pass (429, 503) is tried again, as late as the server asks for.
export async function request(method, path, { body, headers } = {}) {
  let answer;
  for (let tries = 0; tries < 3; tries++) {
    answer = await fetch(api + path, {
      method,
      headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json", ...headers },
      body: body && JSON.stringify(body),
    });
    if (answer.status !== 429 && answer.status !== 503) break;
    await new Promise((done) => setTimeout(done, 1000 * Number(answer.headers.get("retry-after") ?? 1)));
  }
  if (!answer.ok) {
    console.error(`${answer.status}: ${(await answer.json()).detail}`);
    process.exit(1);
  }
  return answer;
}
