// Forms and links with data-swap="id id" fetch the page they lead to, but only those parts of it, and exchange them in place.
// Forms with data-live do so while somebody types. What has no such part, or fails, is opened as a page.
const markup = window.trustedTypes?.createPolicy("server", { createHTML: (s) => s }) ?? { createHTML: (s) => s };
const running = new Map();

async function swap(target, ids, request, keepAddress) {
  running.get(ids)?.abort();
  const mine = new AbortController();
  running.set(ids, mine);
  const places = ids.split(" ").map((id) => document.getElementById(id)).filter(Boolean);
  places.forEach((p) => p.setAttribute("aria-busy", "true"));
  try {
    const answer = await fetch(target, { ...request, signal: mine.signal, headers: { "X-Part": ids } });
    const page = new DOMParser().parseFromString(markup.createHTML(await answer.text()), "text/html");
    const fresh = places.map((p) => page.getElementById(p.id));
    if (fresh.includes(null)) return instead(answer, page, request);
    const focus = document.activeElement?.id;
    places.forEach((p, i) => p.replaceWith(document.adoptNode(fresh[i])));
    if (focus && document.activeElement === document.body) document.getElementById(focus)?.focus();
    if (!keepAddress && (answer.redirected || !request.method)) history.pushState(null, "", answer.url);
  } catch (e) {
    if (e.name !== "AbortError") location.assign(target);
  } finally {
    places.forEach((p) => p.removeAttribute("aria-busy"));
  }
}

// instead shows an answer that is another page: one that was refused where the form stood, any other at its address.
function instead(answer, page, request) {
  const main = page.querySelector("main");
  if (!main || answer.redirected || !request.method) return location.assign(answer.url);
  document.querySelector("main").replaceWith(document.adoptNode(main));
  main.focus();
}

function send(form, submitter, ids, keepAddress) {
  const data = new URLSearchParams(new FormData(form, submitter));
  const target = new URL(submitter?.getAttribute("formaction") || form.action, location);
  if (form.method !== "get") return swap(target, ids, { method: "POST", body: data }, keepAddress);
  target.search = data;
  return swap(target, ids, {}, keepAddress);
}

document.addEventListener("submit", (e) => {
  if (e.defaultPrevented || !e.target.dataset.swap || e.target.enctype === "multipart/form-data") return;
  e.preventDefault();
  send(e.target, e.submitter, e.target.dataset.swap);
});

document.addEventListener("click", (e) => {
  const link = e.target.closest("a[data-swap]");
  if (!link || e.defaultPrevented || e.button || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
  e.preventDefault();
  swap(link.href, link.dataset.swap, {});
});

let waiting;
function typed(e) {
  const form = e.target.form;
  if (!form?.dataset.live || e.isComposing) return;
  clearTimeout(waiting);
  waiting = setTimeout(() => send(form, null, form.dataset.live, true), 120);
}
document.addEventListener("input", typed);
document.addEventListener("compositionend", typed);
window.addEventListener("popstate", () => location.reload());
