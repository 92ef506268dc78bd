"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const key = (row, column) => {
    const cell = row.cells[column], value = cell.dataset.v ?? cell.textContent.trim();
    return value === "" ? null : isNaN(value) ? value.toLowerCase() : Number(value);
  };
  const compare = (a, b) => typeof a === typeof b ? (typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true })) : typeof a === "number" ? -1 : 1;
  heads.forEach((head, column) => head.querySelector("button")?.addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = [...table.tBodies[0].rows].map((row) => [key(row, column), row]);
    // Rows without a value stay at the bottom in both directions.
    rows.sort(([a], [b]) => a === null ? (b === null ? 0 : 1) : b === null ? -1 : down ? compare(b, a) : compare(a, b));
    table.tBodies[0].append(...rows.map(([, row]) => row));
  }));
}

const people = document.getElementById("people"), search = document.getElementById("search");
const shown = document.getElementById("shown"), clear = document.getElementById("clear");

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const mark = /^#m\d+$/.test(location.hash) ? location.hash.slice(1) : "";
  let count = 0;
  for (const row of people.tBodies[0].rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !(words.every((word) => text.includes(word)) && (!mark || row.dataset.marks.split(" ").includes(mark)));
    count += !row.hidden;
  }
  shown.textContent = `${count} of ${people.tBodies[0].rows.length} submissions`;
  const link = mark && document.querySelector(`a[href="#${mark}"]`);
  clear.hidden = !mark;
  clear.textContent = link ? `only: ${link.closest("[data-item]").dataset.item}, ${link.title} — show all` : "show all";
  return mark;
}

search.addEventListener("input", filter);
clear.addEventListener("click", () => { location.hash = "submissions"; search.focus(); });
addEventListener("hashchange", () => { if (filter()) document.getElementById("submissions").scrollIntoView(); });
filter();
