// Makes a hundred links by one request: all of them, or none.

import { request } from "./qredge.mjs";

const items = Array.from({ length: 100 }, (_, index) => ({
  destination: `https://example.com/menu?table=${index + 1}`,
  title: `Table ${index + 1}`,
}));
const answer = await request("POST", "/links/batch", { body: { mode: "all_or_nothing", items } });
console.log((await answer.json()).created);
