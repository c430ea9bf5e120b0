// What a program in TypeScript does with the API, by types that openapi-typescript made of its document.

import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

declare const process: { argv: string[] };

const [baseUrl, key] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${key}` } });

function same(found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`${found} and not ${expected}`);
}

function fine<T>(answer: { data?: T; error?: components["schemas"]["Problem"]; response: Response }): T {
  if (answer.data === undefined) throw new Error(`${answer.response.status} ${answer.error?.detail}`);
  return answer.data;
}

const link = fine(await client.POST("/v1/links", { body: { destination: "https://example.com/", title: "One" } }));
same(link.redirect_status, 302);

const page = fine(await client.GET("/v1/links", { params: { query: { limit: 1 } } }));
same(page.data[0]?.id, link.id);

const path = { id: link.id };
const changed = fine(await client.PATCH("/v1/links/{id}", { params: { path }, body: { title: null } }));
same(changed.title, null);

const code = fine(await client.POST("/v1/qr-codes", { body: { link_id: link.id, design: { margin: 2 } } }));
same(code.kind, "dynamic");

const image = await client.GET("/v1/qr-codes/{id}/image", {
  params: { path: { id: code.id }, query: { format: "svg" } },
  parseAs: "text",
});
same(fine(image).includes("<svg"), true);

const refused = await client.POST("/v1/links", { body: { destination: "ftp://example.com/" } });
same(refused.error?.code, "invalid_fields");
same(refused.error?.errors?.[0]?.pointer, "/destination");
