// Routes as Fastify's documentation has them, with qrcode to draw: node server.js PORT

import Fastify from "fastify";
import QRCode from "qrcode";

const LOCATION = "https://example.com/a/page/of/some/length?utm_source=qr";

const app = Fastify();

app.get("/:slug", (request, reply) => reply.redirect(LOCATION, 302));

async function draw(url, width, reply) {
  const picture = await QRCode.toBuffer(url, { errorCorrectionLevel: "M", margin: 4, width });
  return reply.type("image/png").send(picture);
}

const image = {
  querystring: {
    type: "object",
    required: ["url", "size"],
    properties: { url: { type: "string" }, size: { type: "integer" } },
  },
};

app.get("/v1/image", { schema: image }, (request, reply) => draw(request.query.url, request.query.size, reply));

const order = {
  body: {
    type: "object",
    required: ["content", "size"],
    properties: {
      content: {
        type: "object",
        required: ["type", "url"],
        properties: { type: { const: "url" }, url: { type: "string" } },
      },
      size: { type: "integer" },
    },
  },
};

app.post("/v1/render", { schema: order }, (request, reply) => draw(request.body.content.url, request.body.size, reply));

await app.listen({ host: "127.0.0.1", port: Number(process.argv[2]) });
