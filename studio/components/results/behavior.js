// Draws the rows the server sent. Every string goes through textContent: names come from people's files.

const body = element.querySelector("tbody");
let columns = [];

function cell(text, className) {
  const td = document.createElement("td");
  td.textContent = text;
  if (className) td.className = className;
  return td;
}

function heading() {
  const tr = document.createElement("tr");
  const titles = [{ title: "Result" }, ...columns.map((column) => ({ ...column, className: "number" })), { className: "save" }];
  for (const { title, hint, className } of titles) {
    const th = document.createElement("th");
    th.scope = "col";
    if (className) th.className = className;
    if (hint) th.title = hint;
    if (title) th.textContent = title;
    tr.append(th);
  }
  const hidden = document.createElement("span");
  hidden.className = "hidden-text";
  hidden.textContent = "Download";
  tr.lastChild.append(hidden);
  return tr;
}

function measuredCell({ text, kind, hint }) {
  const td = cell(text, kind ? "number " + kind : "number");
  if (hint) td.title = hint;
  return td;
}

function nameCell(row) {
  const th = document.createElement("th");
  th.scope = "row";
  if (row.state !== "done") { th.textContent = row.label; return th; }
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = row.label;
  button.title = "Show as picture B";
  button.addEventListener("click", () => {
    document.querySelector("#viewer .viewer").dispatchEvent(new CustomEvent("studio-show-pane", { detail: row.id }));
  });
  th.append(button);
  return th;
}

function progressCell(row) {
  const td = document.createElement("td");
  td.colSpan = columns.length + 1;
  const box = document.createElement("div");
  box.className = "progress";
  if (row.total) {
    const bar = document.createElement("progress");
    bar.max = row.total;
    bar.value = row.done;
    bar.setAttribute("aria-label", row.label);
    box.append(bar);
  }
  const words = document.createElement("span");
  words.textContent = row.words;
  box.append(words);
  td.append(box);
  return td;
}

function wordsCell(row) {
  const td = cell(row.words, "words " + (row.state === "failed" ? "bad" : "muted"));
  td.colSpan = columns.length + 1;
  return td;
}

function downloadCell(row) {
  const td = cell("", "save");
  if (!row.file) return td;
  const link = document.createElement("a");
  link.href = row.file.url;
  link.download = row.download;
  link.textContent = "PNG";
  link.title = "Lossless, " + row.download;
  link.setAttribute("aria-label", "Download " + row.label + " as PNG");
  td.append(link);
  return td;
}

function line(row) {
  const tr = document.createElement("tr");
  tr.dataset.id = row.id;
  tr.dataset.state = row.state;
  tr.append(nameCell(row));
  if (row.state === "running" || row.state === "waiting") tr.append(progressCell(row));
  else if (row.state !== "done") tr.append(wordsCell(row));
  else tr.append(...columns.map((column) => measuredCell(row.cells[column.id])), downloadCell(row));
  return tr;
}

let onView = [];

function mark() {
  for (const tr of body.children) tr.classList.toggle("shown", onView.includes(tr.dataset.id));
}

function update() {
  const value = props.value || {};
  const rows = Array.isArray(value.rows) ? value.rows : [];
  const focused = body.contains(document.activeElement) ? document.activeElement.closest("tr").dataset.id : null;
  element.querySelector("caption").textContent = "Measured results";
  element.querySelector(".scroll").hidden = rows.length === 0;
  columns = value.columns || [];
  element.querySelector("thead").replaceChildren(heading());
  body.replaceChildren(...rows.map(line));
  mark();
  element.querySelector(".note").textContent = value.note || "";
  element.querySelector(".convention").textContent = value.convention || "";
  if (focused) {
    const again = [...body.children].find((tr) => tr.dataset.id === focused);
    const target = again && again.querySelector("button, a");
    if (target) target.focus();
  }
}

document.addEventListener("studio-shown", (event) => {
  if (!event.target.closest("#viewer")) return;
  onView = event.detail;
  mark();
});
watch("value", update);
update();
