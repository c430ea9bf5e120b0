// Lists all links, page by page, newest first.

import { request } from "./qredge.mjs";

async function* links() {
  let cursor = "";
  while (cursor !== null) {
    const page = await (await request("GET", `/links?limit=100${cursor && `&cursor=${cursor}`}`)).json();
    yield* page.data;
    cursor = page.next_cursor;
  }
}

for await (const link of links()) console.log(link.short_url);
