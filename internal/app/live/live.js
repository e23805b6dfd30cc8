// Polls the control API and shows each delivery once; a delivery that changes (a retry) is drawn again in its place.
const list = document.getElementById("list");
const shown = new Map();

function words(payload) {
  const out = [];
  for (const entry of payload.entry ?? []) {
    for (const change of entry.changes ?? []) {
      for (const s of change.value.statuses ?? []) out.push(s.status);
      for (const m of change.value.messages ?? []) out.push(`message (${m.type})`);
    }
  }
  return out.slice(0, 6).join(", ") || "update";
}

function element(tag, text, name) {
  const e = document.createElement(tag);
  e.textContent = text;
  if (name) e.className = name;
  return e;
}

function draw(d) {
  const article = document.createElement("article");
  const last = d.attempts?.at(-1);
  const head = document.createElement("h2");
  head.append(element("span", words(d.payload)), element("span", d.state === "delivered" ? "answered" : d.state, d.state),
    element("small", last ? `HTTP ${last.status || "–"} in ${last.latency_ms} ms, attempt ${d.attempts.length}` : ""),
    element("small", d.url));
  article.append(head, element("pre", JSON.stringify(d.payload, null, 2)));
  return article;
}

async function refresh() {
  try {
    const { data } = await (await fetch("../control/v1/webhooks?limit=50")).json();
    if (data.length) document.getElementById("empty")?.remove();
    for (const d of data.reverse()) {
      const key = `${d.state}/${d.attempts?.length}`;
      const old = shown.get(d.id);
      if (old?.key === key) continue;
      const article = draw(d);
      if (old) old.article.replaceWith(article);
      else list.prepend(article);
      shown.set(d.id, { key, article });
    }
  } catch { /* the platform is away; it will come back */ }
  setTimeout(refresh, 1000);
}

refresh();
