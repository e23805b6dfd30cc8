// Everything here improves pages that work without it.
import "./swap.js";
import "./copy.js";
import "./dialog.js";
import "./fields.js";
import "./menu.js";
import "./ago.js";
