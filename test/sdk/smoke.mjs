// Two SDKs from npm, as they come, against a running sandbox: nothing is changed for them but the address. Each sends text,
// a template and a picture, fetches the picture again, and takes the webhooks with its own handlers and checks.
// run.sh starts the sandbox and gives the variables of `hikyaku env`.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { Client } from "@great-detail/whatsapp";
import { WhatsAppAPI } from "whatsapp-api-js";
import { Image, Language, Template, Text } from "whatsapp-api-js/messages";

const { APP_ID, APP_SECRET, BASE_URL, CONTROL_URL, GRAPH_VERSION, PHONE_NUMBER_ID, TOKEN, USER_PHONE, VERIFY_TOKEN, WABA_ID } = process.env;
const user = USER_PHONE.slice(1);
const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

let take; // how the SDK under test takes a webhook: ({method, query, headers, body}) → text
let receiver;

async function post(url, token, body) {
  const res = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body ?? {}),
  });
  assert.equal(res.status, 200, `${url}: ${await res.clone().text()}`);
  return res.json();
}

const idle = () => post(`${CONTROL_URL}/control/v1/idle`, null, { timeout: "20s" });

before(async () => {
  receiver = createServer(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const query = Object.fromEntries(new URL(req.url, "http://receiver").searchParams);
    try {
      const text = await take({ method: req.method, query, headers: req.headers, body: Buffer.concat(chunks).toString() });
      res.end(text ?? "");
    } catch (err) {
      console.error(err);
      res.writeHead(500).end();
    }
  });
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
});

after(() => receiver.close());

// subscribe makes the app's webhooks come here; the SDK answers the handshake.
async function subscribe() {
  await post(`${BASE_URL}/${GRAPH_VERSION}/${APP_ID}/subscriptions`, `${APP_ID}|${APP_SECRET}`, {
    object: "whatsapp_business_account",
    callback_url: `http://127.0.0.1:${receiver.address().port}/`,
    verify_token: VERIFY_TOKEN,
    fields: ["messages"],
  });
}

// seen has a list of statuses for each message id, and the texts that users wrote.
function check(seen, ids) {
  for (const id of ids) {
    assert.match(id, /^wamid\./);
    for (const status of ["sent", "delivered", "read"]) {
      assert.ok(seen.statuses[id]?.includes(status), `${id} was never ${status}: ${seen.statuses[id]}`);
    }
  }
  assert.ok(seen.texts.includes("Thank you!"), `texts of users: ${seen.texts}`);
}

const answer = () => post(`${CONTROL_URL}/control/v1/users/${user}/messages`, null, { type: "text", text: { body: "Thank you!" } });

test("@great-detail/whatsapp", async () => {
  const sdk = new Client({ prefixUrl: BASE_URL, graphVersion: GRAPH_VERSION, request: { headers: { Authorization: `Bearer ${TOKEN}` } } });
  const seen = { statuses: {}, texts: [] };
  take = async (req) => {
    if (req.method === "GET") {
      const registration = await sdk.webhook.register(req);
      assert.equal(registration.verifyToken, VERIFY_TOKEN);
      return registration.accept();
    }
    const event = await sdk.webhook.eventNotification(req);
    await event.verifySignature(APP_SECRET);
    for (const { changes } of event.eventNotification.entry) {
      for (const { value } of changes) {
        for (const s of value.statuses ?? []) (seen.statuses[s.id] ??= []).push(s.status);
        for (const m of value.messages ?? []) seen.texts.push(m.text?.body);
      }
    }
    return "";
  };
  await subscribe();
  await sdk.subscribedApps.createSubscription({ businessAccountID: WABA_ID }).json();

  const send = async (message) =>
    (await sdk.message.createMessage({ phoneNumberID: PHONE_NUMBER_ID, to: user, ...message }).json()).messages[0].id;
  const file = await sdk.media
    .upload({ phoneNumberID: PHONE_NUMBER_ID, file: new Blob([png], { type: "image/png" }), filename: "dot.png", mimeType: "image/png" })
    .json();
  const ids = [
    await send({ type: "text", text: { body: "Hello" } }),
    await send({ type: "template", template: { name: "hello_world", language: { code: "en_US" } } }),
    await send({ type: "image", image: { id: file.id } }),
  ];
  const described = await sdk.media.getURL({ mediaID: file.id }).json();
  const copy = await sdk.media.download({ mediaURL: described.url, request: { headers: { Authorization: `Bearer ${TOKEN}` } } }).arrayBuffer();
  assert.deepEqual(Buffer.from(copy), png);
  const number = await sdk.phoneNumbers.getPhoneNumber({ phoneNumberID: PHONE_NUMBER_ID }).json();
  assert.equal(number.id, PHONE_NUMBER_ID);
  const templates = await sdk.template.list(WABA_ID, {}).json();
  assert.ok(templates.data.some((t) => t.name === "hello_world"));

  await answer();
  await idle();
  check(seen, ids);
});

test("whatsapp-api-js", async () => {
  // This SDK names the real host; its option for another fetch is the place to name ours.
  const ours = (url, init) => fetch(String(url).replace("https://graph.facebook.com", BASE_URL), init);
  const sdk = new WhatsAppAPI({ token: TOKEN, appSecret: APP_SECRET, webhookVerifyToken: VERIFY_TOKEN, v: GRAPH_VERSION, ponyfill: { fetch: ours } });
  const seen = { statuses: {}, texts: [] };
  sdk.on.status = ({ id, status }) => void (seen.statuses[id] ??= []).push(status);
  sdk.on.message = ({ message }) => void seen.texts.push(message.text?.body);
  take = async (req) => {
    if (req.method === "GET") return sdk.get(req.query);
    await sdk.post(JSON.parse(req.body), req.body, req.headers["x-hub-signature-256"]);
    return "";
  };
  await subscribe();
  await post(`${BASE_URL}/${GRAPH_VERSION}/${WABA_ID}/subscribed_apps`, TOKEN);

  const form = new FormData();
  form.set("file", new Blob([png], { type: "image/png" }), "dot.png");
  form.set("type", "image/png");
  const file = await sdk.uploadMedia(PHONE_NUMBER_ID, form);
  const ids = [];
  for (const message of [new Text("Hello"), new Template("hello_world", new Language("en_US")), new Image(file.id, true)]) {
    const sent = await sdk.sendMessage(PHONE_NUMBER_ID, { phone: user }, message);
    ids.push(sent.messages[0].id);
  }
  const described = await sdk.retrieveMedia(file.id);
  const copy = await (await sdk.fetchMedia(described.url)).arrayBuffer();
  assert.deepEqual(Buffer.from(copy), png);
  const refused = await sdk.sendMessage(PHONE_NUMBER_ID, { phone: "1" }, new Text("Hello"));
  assert.ok(refused.error.code > 0 && refused.error.fbtrace_id);

  await answer();
  await idle();
  check(seen, ids);
});
