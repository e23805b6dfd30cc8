// data-copy copies its value; data-done is what is said then.
import { say } from "./say.js";

document.addEventListener("click", async (e) => {
  const button = e.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    // Without TLS there is no clipboard: select and copy as a person would.
    const area = document.createElement("textarea");
    area.value = button.dataset.copy;
    (button.closest("dialog") ?? document.body).append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  button.dataset.copied = "";
  say(button.dataset.done);
  setTimeout(() => delete button.dataset.copied, 2000);
});
