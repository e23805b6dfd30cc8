// Menus are details elements: one is open at a time, Escape and a press elsewhere close it, arrows walk through it.
const open = () => document.querySelectorAll("details.menu[open]");

document.addEventListener("click", (e) => open().forEach((menu) => menu.contains(e.target) || (menu.open = false)));
document.addEventListener("focusin", (e) => open().forEach((menu) => menu.contains(e.target) || (menu.open = false)));
document.addEventListener("keydown", (e) => {
  const menu = e.target.closest?.("details.menu[open]");
  if (!menu) return;
  const items = [...menu.querySelectorAll(".menu-items :is(a, button)")];
  const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
  if (e.key === "Escape") {
    menu.open = false;
    menu.querySelector("summary").focus();
  } else if (step && items.length) {
    e.preventDefault();
    const at = items.indexOf(document.activeElement);
    items[at < 0 && step < 0 ? items.length - 1 : (at + step + items.length) % items.length].focus();
  }
});
