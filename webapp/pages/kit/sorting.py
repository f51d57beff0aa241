"""The script that sorts a table: of the page, where ``element`` is a component, and of a file, where it is the body."""

from __future__ import annotations

# sorts the rows of a table by the column whose head is pressed
SORT = """
const heads = () => element.querySelectorAll(".cs-sortable th[scope=col]");
const ready = () => heads().forEach((th) => { th.tabIndex = 0; th.setAttribute("role", "columnheader"); });
const sort = (th) => {
  const rows = [...th.closest("table").tBodies[0].rows];
  const place = [...th.parentNode.children].indexOf(th);
  const up = th.getAttribute("aria-sort") === "descending";
  const key = (row) => row.cells[place].dataset.value;
  const compare = (a, b) => key(a) === undefined || key(b) === undefined
    ? a.cells[place].textContent.localeCompare(b.cells[place].textContent) : key(a) - key(b);
  rows.sort((a, b) => (up ? 1 : -1) * compare(a, b));
  heads().forEach((one) => one.removeAttribute("aria-sort"));
  th.setAttribute("aria-sort", up ? "ascending" : "descending");
  rows.forEach((row) => row.parentNode.append(row));
};
const headOf = (event) => event.target.closest && event.target.closest(".cs-sortable th[scope=col]");
element.addEventListener("click", (event) => { const th = headOf(event); if (th) sort(th); });
element.addEventListener("keydown", (event) => {
  const th = headOf(event);
  if (th && (event.key === "Enter" || event.key === " ")) { event.preventDefault(); sort(th); }
});
ready();
"""
