// Draws the rows the server sent, with progress, and one lossless download per row. Every string goes through textContent: names come from
// people's files.
//
// The value is what studio.restore.results.table_of returns.

import { find, make, targetOf } from "../../../page/elements.js";

const body = find("tbody");
let columns = [];  // between the name and the download

function cell(text, className = "") {
  return make("td", className, text);
}

function wideCell(className, text) {
  const wide = cell(text, className);
  wide.colSpan = columns.length + 1;
  return wide;
}

function nameCell(row) {
  const name = make("th");
  name.scope = "row";
  if (row.state !== "done") {
    name.textContent = row.label;
    return name;
  }
  const button = make("button", "", row.label);
  button.type = "button";
  button.title = "Show as After";
  button.addEventListener("click", () => {
    document.querySelector("#viewer .viewer").dispatchEvent(new CustomEvent("studio-show-pane", { detail: row.id }));
  });
  name.append(button);
  return name;
}

function progressCell(row) {
  const box = make("div", "progress");
  if (row.total) {
    const bar = make("progress");
    bar.max = row.total;
    bar.value = row.done;
    bar.setAttribute("aria-label", row.label);
    box.append(bar);
  }
  box.append(make("span", "", row.words));
  const wide = wideCell("", "");
  wide.append(box);
  return wide;
}

function downloadCell(row) {
  const save = cell("", "save");
  if (!row.file) return save;
  const link = make("a", "", "PNG");
  link.href = row.file.url;
  link.download = row.download;
  link.title = "Lossless, " + row.download;
  link.setAttribute("aria-label", "Download " + row.label + " as PNG");
  save.append(link);
  return save;
}

function valueCell({ text, kind = "", hint = "" }) {
  const value = cell(text, ("number " + kind).trim());
  if (hint) value.title = hint;
  return value;
}

function headingRow() {
  const line = make("tr");
  const titles = columns.map(({ title, hint }) => {
    const heading = make("th", "number", title);
    heading.title = hint;
    return heading;
  });
  const save = make("th", "save");
  save.append(make("span", "hidden-text", "Download"));
  line.append(make("th", "", "Result"), ...titles, save);
  for (const heading of line.children) /** @type {HTMLTableCellElement} */ (heading).scope = "col";
  return line;
}

function tableRow(row) {
  const line = make("tr");
  line.dataset.id = row.id;
  line.dataset.state = row.state;
  line.append(nameCell(row));
  if (row.state === "running" || row.state === "waiting") line.append(progressCell(row));
  else if (row.state === "done") line.append(...columns.map((column) => valueCell(row.cells[column.id])), downloadCell(row));
  else line.append(wideCell("words " + (row.state === "failed" ? "bad" : "muted"), row.words));
  return line;
}

// ---------------------------------------------------------------- which pictures are on view

let onView = [];

function markShown() {
  for (const line of body.children) line.classList.toggle("shown", onView.includes(line.dataset.id));
}

document.addEventListener("studio-shown", (event) => {
  if (!targetOf(event).closest("#viewer")) return;
  onView = /** @type {CustomEvent} */ (event).detail;
  markShown();
});

function update() {
  const value = props.value || {};
  const rows = Array.isArray(value.rows) ? value.rows : [];
  const focusedRow = body.contains(document.activeElement) ? document.activeElement.closest("tr").dataset.id : null;
  find("caption").textContent = "Measured results";
  find(".scroll").hidden = rows.length === 0;
  columns = value.columns || [];
  find("thead").replaceChildren(headingRow());
  body.replaceChildren(...rows.map(tableRow));
  markShown();
  find(".note").textContent = value.note || "";
  find(".convention").textContent = value.convention || "";
  if (!focusedRow) return;
  const line = [...body.children].find((other) => other.dataset.id === focusedRow);
  /** @type {HTMLElement} */
  const target = line && line.querySelector("button, a");
  if (target) target.focus();
}

watch("value", update);
update();
