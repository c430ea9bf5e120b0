// A link's scans of the last seven days, by day: stats.mjs LINK_ID

import { request } from "./qredge.mjs";

const [linkId] = process.argv.slice(2);

const first = new Date(Date.now() - 6 * 86_400_000).toISOString().slice(0, 10);
const stats = await (await request("GET", `/links/${linkId}/stats?from=${first}&interval=day`)).json();
for (const day of stats.series) console.log(day.start.slice(0, 10), day.scans);
