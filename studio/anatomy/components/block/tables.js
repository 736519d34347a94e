// Tables of 64 numbers that share one cursor: a cell that is pointed at or has the focus is marked in all of them.

import { make, targetOf } from "../../../page/elements.js";
import { SIDE } from "./transform.js";

const tables = new Map();
/** @type {(index: number) => void} */
let afterMove = () => {};
/** @type {(index: number) => void} */
let afterChoice = () => {};

export let cursor = 1;  // row-major

// Both hear the index of a cell: `moved` where the cursor is now, `chosen` which one was clicked.
export function listenToCells({ moved, chosen }) {
  afterMove = moved;
  afterChoice = chosen;
}

export function moveCursor(index) {
  cursor = index;
  for (const { cells, live } of tables.values()) {
    if (!live) continue;
    cells.forEach((cell, i) => {
      cell.classList.toggle("at", i === index);
      cell.tabIndex = i === index ? 0 : -1;
    });
  }
  afterMove(index);
}

// ---------------------------------------------------------------- building

function headCell(text, scope, label) {
  const head = make("th", "", text);
  head.scope = scope;
  head.setAttribute("aria-label", label);
  return head;
}

// Builds an empty table once; later only its texts change, so that the focus stays where it is.
export function addTable(name, host, { live = true } = {}) {
  const table = make("table");
  const caption = table.createCaption();
  caption.append(make("b"), make("span"));
  const head = table.createTHead().insertRow();
  head.append(make("td"));
  for (let column = 0; column < SIDE; column++) head.append(headCell(String(column), "col", "column " + column));
  const body = table.createTBody();
  const cells = [];
  for (let row = 0; row < SIDE; row++) {
    const line = body.insertRow();
    line.append(headCell(String(row), "row", "row " + row));
    for (let column = 0; column < SIDE; column++) {
      const cell = line.insertCell();
      cell.dataset.index = String(row * SIDE + column);
      cells.push(cell);
    }
  }
  if (live) follow(table);
  const scroll = make("div", "scroll");
  scroll.append(table);
  host.append(scroll);
  tables.set(name, { host, caption, cells, live });
}

// Fills a table; `kinds` names the class of each cell, which those who cannot see it are told.
export function fillTable(name, title, note, texts, { strengths = null, kinds = null } = {}) {
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
export function strengthsOf(values) {
  return values.map((value) => Math.min(Math.log2(1 + Math.abs(value)) / 10, 1));
}

// ---------------------------------------------------------------- pointing and keys

/** @returns {number | null} */
function indexOf(event) {
  /** @type {HTMLElement} */
  const cell = targetOf(event).closest("td[data-index]");
  return cell ? Number(cell.dataset.index) : null;
}

function follow(table) {
  const listen = (name, act) => table.addEventListener(name, (event) => {
    const index = indexOf(event);
    if (index !== null) act(index, event);
  });
  listen("pointerover", (index, event) => {
    if (event.pointerType === "mouse") moveCursor(index);
  });
  listen("click", (index) => {
    moveCursor(index);
    afterChoice(index);
  });
  listen("focusin", (index) => moveCursor(index));
  listen("keydown", (index, event) => pressKey(table, index, event));
}

function pressKey(table, index, event) {
  if (event.key === "Enter") {
    event.preventDefault();
    afterChoice(index);
    return;
  }
  const next = neighbor(index, event.key);
  if (next === null) return;
  event.preventDefault();
  event.stopPropagation();
  moveCursor(next);
  table.querySelector("td[data-index='" + next + "']").focus();
}

function neighbor(index, key) {
  const row = Math.floor(index / SIDE);
  const column = index % SIDE;
  const clamp = (value) => Math.min(Math.max(value, 0), SIDE - 1);
  const moves = {
    ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1], ArrowUp: [row - 1, column], ArrowDown: [row + 1, column],
    Home: [row, 0], End: [row, 7],
  };
  if (!moves[key]) return null;
  return clamp(moves[key][0]) * SIDE + clamp(moves[key][1]);
}
