// Tables of 64 numbers that share one cursor: a cell that is pointed at or has the focus is marked in all of them.

import { SIDE } from "./transform.js";

const tables = new Map();
export let cursor = 1;
let afterMove = () => {};
let afterChoice = () => {};

// Both hear the number of a cell: `moved` where the cursor is now, `chosen` which one was clicked.
export function listenToCells({ moved, chosen }) {
  afterMove = moved;
  afterChoice = chosen;
}

function headCell(text, scope, label) {
  const th = document.createElement("th");
  th.scope = scope;
  th.textContent = text;
  th.setAttribute("aria-label", label);
  return th;
}

// Builds an empty table once; later only its texts change, so that the focus stays where it is.
export function addTable(name, host, { live = true } = {}) {
  const table = document.createElement("table"), caption = table.createCaption();
  caption.append(document.createElement("b"), document.createElement("span"));
  const head = table.createTHead().insertRow();
  head.append(document.createElement("td"));
  for (let column = 0; column < SIDE; column++) head.append(headCell(column, "col", "column " + column));
  const body = table.createTBody(), cells = [];
  for (let row = 0; row < SIDE; row++) {
    const line = body.insertRow();
    line.append(headCell(row, "row", "row " + row));
    for (let column = 0; column < SIDE; column++) {
      const cell = line.insertCell();
      cell.dataset.index = row * SIDE + column;
      cells.push(cell);
    }
  }
  if (live) follow(table);
  const scroll = document.createElement("div");
  scroll.className = "scroll";
  scroll.append(table);
  host.append(scroll);
  tables.set(name, { host, caption, cells, live });
}

function follow(table) {
  const indexOf = (event) => { const cell = event.target.closest("td[data-index]"); return cell ? Number(cell.dataset.index) : null; };
  table.addEventListener("pointerover", (event) => { const index = indexOf(event); if (index !== null && event.pointerType === "mouse") moveCursor(index); });
  table.addEventListener("click", (event) => { const index = indexOf(event); if (index !== null) { moveCursor(index); afterChoice(index); } });
  table.addEventListener("focusin", (event) => { const index = indexOf(event); if (index !== null) moveCursor(index); });
  table.addEventListener("keydown", (event) => {
    const index = indexOf(event);
    if (index === null) return;
    if (event.key === "Enter") { event.preventDefault(); afterChoice(index); return; }
    const next = neighbour(index, event.key);
    if (next === null) return;
    event.preventDefault();
    event.stopPropagation();
    moveCursor(next);
    table.querySelector("td[data-index='" + next + "']").focus();
  });
}

function neighbour(index, key) {
  const row = Math.floor(index / SIDE), column = index % SIDE;
  const clamp = (value) => Math.min(Math.max(value, 0), SIDE - 1);
  const moves = { ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1], ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], Home: [row, 0], End: [row, 7] };
  if (!moves[key]) return null;
  return clamp(moves[key][0]) * SIDE + clamp(moves[key][1]);
}

export function moveCursor(index) {
  cursor = index;
  for (const { cells, live } of tables.values()) {
    if (live) cells.forEach((cell, i) => { cell.classList.toggle("at", i === index); cell.tabIndex = i === index ? 0 : -1; });
  }
  afterMove(index);
}

// Fills a table; `kinds` names the class of each cell, `words` what is added for those who cannot see it.
export function fill(name, title, note, texts, { strengths = null, kinds = null } = {}) {
  const { host, caption, cells } = tables.get(name);
  host.hidden = texts === null;
  if (texts === null) return;
  caption.children[0].textContent = title;
  caption.children[1].textContent = note;
  cells.forEach((cell, i) => {
    cell.textContent = texts[i];
    cell.style.setProperty("--strength", strengths ? strengths[i].toFixed(3) : "0");
    cell.dataset.kind = kinds ? kinds[i] : "";
    const died = kinds && kinds[i] === "died" ? ", died" : "";
    cell.setAttribute("aria-label", texts[i] + died);
  });
}

// 0..1 by the logarithm of the magnitude, so that small coefficients are told from zero.
export function strengthsOf(values) { return values.map((value) => Math.min(Math.log2(1 + Math.abs(value)) / 10, 1)); }
