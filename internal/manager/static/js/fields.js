// Counters count while somebody types; data-show shows what a password field hides; data-submit sends its form when it changes.
document.addEventListener("input", (e) => {
  const count = e.target.id && document.querySelector(`[data-count="${CSS.escape(e.target.id)}"]`);
  if (count) count.textContent = `${[...e.target.value].length} / ${e.target.maxLength}`;
});

document.addEventListener("click", (e) => {
  const button = e.target.closest("[data-show]");
  const field = button && document.getElementById(button.dataset.show);
  if (!field) return;
  field.type = field.type === "password" ? "text" : "password";
  button.ariaPressed = String(field.type === "text");
});

document.addEventListener("change", (e) => "submit" in (e.target.dataset ?? {}) && e.target.form.requestSubmit());

// A form that came back with a mistake begins at it.
document.querySelector("main [aria-invalid]")?.focus();
