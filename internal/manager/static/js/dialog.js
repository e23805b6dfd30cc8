// A dialog opens as a popover without this; with it, it holds the focus, and its danger waits for the name it asks for.
document.addEventListener("click", (e) => {
  const button = e.target.closest("button[popovertarget]");
  const dialog = button && document.getElementById(button.getAttribute("popovertarget"));
  if (dialog?.localName !== "dialog") return;
  e.preventDefault();
  if ("close" in button.dataset) dialog.close();
  else if (!dialog.open) {
    dialog.showModal();
    check(dialog);
  }
});

function check(dialog) {
  const field = dialog.querySelector("[data-must]");
  if (field) dialog.querySelector(".danger").disabled = field.value.trim() !== field.dataset.must;
}

document.addEventListener("input", (e) => e.target.dataset?.must && check(e.target.closest("dialog")));
