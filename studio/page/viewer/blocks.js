// The 8 × 8 blocks of the picture: where their grid lies, which block a pixel belongs to, and the one that was picked. Blocks are
// counted in the file's own grid; a photograph that is shown turned upright keeps the block numbers of its file.

import { redraw } from "./frame.js";
import { paneWith, root, size, state } from "./state.js";

export const BLOCK = 8;

// Row and column in the file of a pixel of the upright picture.
function decodedSpot(x, y) {
  const [width, height] = size(), { flip_rows: rows, flip_columns: columns, swap } = state.turn;
  const row = rows ? height - 1 - y : y, column = columns ? width - 1 - x : x;
  return swap ? { row: column, column: row } : { row, column };
}

export function blockAt({ x, y }) {
  const { row, column } = decodedSpot(x, y);
  return { row: Math.floor(row / BLOCK), column: Math.floor(column / BLOCK) };
}

// Position inside the block, rows and columns from 0 to 7.
export function insideBlock({ x, y }) {
  const { row, column } = decodedSpot(x, y);
  return { row: row % BLOCK, column: column % BLOCK };
}

// Where a block lies in the upright picture, cut off at its edges.
export function blockBox({ row, column }) {
  const [width, height] = size(), { flip_rows: rows, flip_columns: columns, swap } = state.turn;
  const start = (index, length, flipped) => (flipped ? length - (index + 1) * BLOCK : index * BLOCK);
  const left = start(swap ? row : column, width, columns), top = start(swap ? column : row, height, rows);
  const x = Math.max(left, 0), y = Math.max(top, 0);
  return { x, y, width: Math.min(left + BLOCK, width) - x, height: Math.min(top + BLOCK, height) - y };
}

export function inPicture({ x, y }) {
  const [width, height] = size();
  return x >= 0 && y >= 0 && x < width && y < height;
}

// Outlines the block in all panes and tells the page and the server.
export function pick(pixel, id) {
  if (!inPicture(pixel) || !paneWith(id)) return;
  const { row, column } = blockAt(pixel);
  const detail = { row, column, pane: id };
  state.block = { row, column };
  redraw();
  root.dispatchEvent(new CustomEvent("studio-block", { bubbles: true, composed: true, detail }));
  trigger("block", detail);
}

// ---------------------------------------------------------------- grids, each { name, row, column, chroma_rows, chroma_columns }

// The grid the file has now.
export function lastGrid() {
  return state.grids[0];
}

// Positions of a grid's lines between two picture coordinates: from the first line at or after `from`.
export function* gridLines(phase, period, from, to) {
  for (let at = phase + period * Math.ceil((from - phase) / period); at <= to; at += period) yield at;
}

export function gridWords() {
  const words = state.grids.map((grid, i) => grid.name + (i === 0 ? " solid" : " dashed"));
  const { chroma_rows: rows = BLOCK, chroma_columns: columns = BLOCK } = lastGrid() || {};
  if (rows > BLOCK || columns > BLOCK) words.push("chroma " + columns + " × " + rows + " bold");
  return words.join(", ");
}
