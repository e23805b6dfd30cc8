// say shows a short text for a moment, and speaks it.
export function say(text) {
  if (!text) return;
  document.querySelector(".toast")?.remove();
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.textContent = text;
  toast.ariaHidden = "true";
  document.body.append(toast);
  document.getElementById("spoken").textContent = text;
  setTimeout(() => toast.remove(), 2500);
}
