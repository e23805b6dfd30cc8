// "5 minutes ago" stays true while a page is open.
const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });

setInterval(() => {
  for (const t of document.querySelectorAll("time[data-ago]")) {
    const s = (Date.parse(t.dateTime) - Date.now()) / 1000;
    const [size, unit] = s > -60 ? [1, "second"] : s > -3600 ? [60, "minute"] : s > -172800 ? [3600, "hour"] : [86400, "day"];
    if (unit !== "second") t.textContent = words.format(Math.ceil(s / size), unit);
  }
}, 30000);
