// A webhook receiver to copy, for Node 18 or newer, without dependencies: answers the verification handshake, checks the
// signature of every delivery, prints the payload and answers 200.
//
//   eval "$(hikyaku env --export)"   # or VERIFY_TOKEN=… APP_SECRET=…
//   node examples/webhook-echo-node/server.mjs

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const { VERIFY_TOKEN = "", APP_SECRET = "", HOST = "127.0.0.1", PORT = "9000" } = process.env;
const MAX_BODY = 3 << 20;

if (!VERIFY_TOKEN || !APP_SECRET) { // without them anybody could sign
  console.error("VERIFY_TOKEN and APP_SECRET are not set; hikyaku env --export prints them");
  process.exit(2);
}

function signed(body, header = "") {
  const sent = Buffer.from(header.replace(/^sha256=/, ""), "hex");
  const want = createHmac("sha256", APP_SECRET).update(body).digest();
  return sent.length === want.length && timingSafeEqual(sent, want);
}

async function read(req) {
  const chunks = [];
  let size = 0;
  for await (const chunk of req) {
    size += chunk.length;
    if (size > MAX_BODY) throw new Error("body too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const server = createServer(async (req, res) => {
  try {
    if (req.method === "GET") {
      const q = new URL(req.url, "http://localhost").searchParams;
      const ok = q.get("hub.mode") === "subscribe" && q.get("hub.verify_token") === VERIFY_TOKEN;
      res.writeHead(ok ? 200 : 403).end(ok ? q.get("hub.challenge") : "verify token mismatch");
      return;
    }
    // The signature is over the bytes as they came, not over JSON written again.
    const body = await read(req);
    if (!signed(body, req.headers["x-hub-signature-256"])) {
      res.writeHead(401).end("bad signature");
      return;
    }
    // Answer quickly; real work belongs in a queue. Expect duplicates.
    res.writeHead(200).end();
    console.log(JSON.stringify(JSON.parse(body), null, 2));
  } catch (err) {
    if (!res.headersSent) res.writeHead(400).end(String(err.message));
  }
});

server.listen(Number(PORT), HOST, () => console.error(`listening on http://${HOST}:${server.address().port}`));
