// Everything here improves pages that work without it.
import "./swap.js";
import "./copy.js";
import "./dialog.js";
import "./fields.js";
import "./menu.js";
import "./ago.js";

// A field that filters the rows of a list while somebody types.
document.addEventListener("input", (e) => {
  const list = document.getElementById(e.target.dataset?.filter ?? "");
  if (!list) return;
  const word = e.target.value.trim().toLowerCase();
  for (const row of list.querySelectorAll("[data-filter-row]")) row.hidden = !row.dataset.filterRow.includes(word);
});
