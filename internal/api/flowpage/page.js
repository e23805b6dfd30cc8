// The phone without reloads: every change and every tap is the form, sent by fetch; the answer replaces the stage. Without this
// script the same form works with whole pages.
const stage = document.getElementById('stage');
let turn = 0;
async function send(button) {
  const form = stage.querySelector('form');
  if (!form) return;
  const mine = ++turn, at = document.activeElement?.name, body = stage.querySelector('.body')?.scrollTop ?? 0;
  const data = new FormData(form);
  data.set('do', button ? button.value : 'set');
  stage.classList.add('busy');
  try {
    const res = await fetch(form.getAttribute('action'), {method: 'POST', body: new URLSearchParams(data), headers: {'X-Part': 'stage'}});
    const text = await res.text();
    if (mine !== turn) return;
    const title = stage.querySelector('.bar strong')?.textContent;
    stage.replaceChildren(...new DOMParser().parseFromString(text, 'text/html').body.childNodes);
    if (title === stage.querySelector('.bar strong')?.textContent) {
      const box = stage.querySelector('.body');
      if (box) box.scrollTop = stage.querySelector('.note') ? 0 : body;
      if (at && !button) stage.querySelector(`[name="${CSS.escape(at)}"]`)?.focus();
    }
  } catch {
    if (mine === turn) form.submit();
  } finally {
    if (mine === turn) stage.classList.remove('busy');
  }
}
stage.addEventListener('submit', e => { e.preventDefault(); send(e.submitter); });
stage.addEventListener('change', () => send(null));
