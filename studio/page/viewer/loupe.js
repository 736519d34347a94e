// The loupe: the values of one pixel in every pane on the screen, and where it lies in its block.

import { find, make } from "../elements.js";
import { blockAt, inPicture, insideBlock } from "./blocks.js";
import { redraw } from "./frame.js";
import { reveal, visibleCrop } from "./geometry.js";
import { isCurrent, readPixels, versionOf } from "./pictures.js";
import { paneWith, setText, setVisible, shown, size, state } from "./state.js";

const loupePanel = find(".loupe");
const loupeRows = find(".loupe tbody");
let loupeShown = "";

/** @param {number[]} rgb */
function ycbcr([red, green, blue]) {
  return [
    0.299 * red + 0.587 * green + 0.114 * blue,
    128 - 0.168735892 * red - 0.331264108 * green + 0.5 * blue,
    128 + 0.5 * red - 0.418687589 * green - 0.081312411 * blue,
  ];
}

function pixelOf(id) {
  if (!isCurrent(id) || !inPicture(state.cursor)) return null;
  return [...readPixels(id, { ...state.cursor, width: 1, height: 1 })].slice(0, 3);
}

// Reads and writes only where the pixel or the pictures have changed.
export function drawLoupe() {
  setVisible(loupePanel, state.loupe);
  if (!state.loupe) {
    loupeShown = "";
    return;
  }
  const at = state.cursor && inPicture(state.cursor) ? state.cursor : null, ids = [...new Set(shown())].filter(paneWith);
  const key = JSON.stringify([at, state.picture, ids.map((id) => [id, versionOf(id)])]);
  if (key === loupeShown) return;
  loupeShown = key;
  setText(find(".loupe .where"), at ? placeWords(at) : "Point at the picture, or move with the arrow keys.");
  loupeRows.replaceChildren(...(at ? ids.map(loupeRow) : []));
}

function placeWords(at) {
  const block = blockAt(at), inside = insideBlock(at);
  return "column " + at.x + ", row " + at.y + " · block column " + block.column + ", row " + block.row
    + " · inside it column " + inside.column + ", row " + inside.row;
}

function loupeRow(id) {
  const row = make("tr");
  const name = make("th", "", paneWith(id).label);
  const values = pixelOf(id);
  name.scope = "row";
  row.append(name);
  const words = values ? [...values.map(String), ...ycbcr(values).map((value) => value.toFixed(1))] : Array(6).fill("–");
  for (const word of words) row.insertCell().textContent = word;
  return row;
}

// ---------------------------------------------------------------- the cursor

// Beside the picture the loupe stays on the last pixel.
export function pointAt(spot) {
  const pixel = { x: Math.floor(spot[0]), y: Math.floor(spot[1]) };
  if (!inPicture(pixel)) return;
  state.cursor = pixel;
  redraw();
}

export function middle() {
  const crop = visibleCrop();
  return { x: Math.floor(crop.x + crop.width / 2), y: Math.floor(crop.y + crop.height / 2) };
}

export function moveCursor(dx, dy) {
  const [width, height] = size(), from = state.cursor || middle();
  state.cursor = { x: Math.min(Math.max(from.x + dx, 0), width - 1), y: Math.min(Math.max(from.y + dy, 0), height - 1) };
  reveal(state.cursor);
  redraw();
}

export function toggleLoupe() {
  state.loupe = !state.loupe;
  if (state.loupe && !state.cursor) state.cursor = middle();
  redraw();
}
