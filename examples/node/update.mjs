// Sends a code that is printed already elsewhere: update.mjs LINK_ID DESTINATION

import { request } from "./qredge.mjs";

const [linkId, destination] = process.argv.slice(2);

// If-Match refuses the change (412) where somebody else has changed the link since we looked at it.
const etag = (await request("GET", `/links/${linkId}`)).headers.get("etag");
const answer = await request("PATCH", `/links/${linkId}`, { body: { destination }, headers: { "If-Match": etag } });
console.log((await answer.json()).destination);
