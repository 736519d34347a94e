// Draws the rows the server sent, with progress, and one lossless download per row. Every string goes through textContent: names come from
// people's files.
//
// The value is what studio.restore.results.table_of returns.

const body = element.querySelector("tbody");

function cell(text, className) {
  const td = document.createElement("td");
  td.textContent = text;
  if (className) td.className = className;
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
  td.colSpan = 7;
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
  td.colSpan = 7;
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
  else {
    tr.append(cell(row.psnr, "number"), cell(row.delta, "number " + row.delta_kind), cell(row.ssim, "number"),
      cell(row.psnr_b, "number"), cell(row.seconds, "number"), cell(row.speed, "number"), downloadCell(row));
  }
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
