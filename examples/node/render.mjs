// Draws a picture of which nothing is stored: the way into a WiFi, as a PDF of 5 cm.

import { writeFile } from "node:fs/promises";
import { request } from "./qredge.mjs";

const picture = await request("POST", "/render", {
  body: {
    content: { type: "wifi", ssid: "Bistro", password: "bon appetit" },
    design: { frame: { style: "scan-me-bottom", label: "Free WiFi" } },
    format: "pdf",
    size_inches: 1.97,
  },
});
await writeFile("wifi.pdf", Buffer.from(await picture.arrayBuffer()));
console.log("wifi.pdf");
