// What is drawn over the pictures: block grids, the picked block, the pixel under the loupe, and the loupe itself.

import { BLOCK, blockBox, gridLines, inPicture } from "./blocks.js";
import { view } from "./geometry.js";
import { SURROUND, drawPicture, pen } from "./pen.js";
import { levelsOf } from "./pictures.js";
import { size, state } from "./state.js";

export const GRID_ZOOM = 4;
const LENS_PIXELS = 17;  // picture pixels across
const LENS_ZOOM = 6;  // CSS pixels for each
const ACCENT = "#5fd0da";
const FIRST_SAVE = "#ffb347";

export function drawOverlays(part) {
  const where = view(part.cell);
  if (state.lines && where.zoom >= GRID_ZOOM) drawGrids(where, part);
  if (state.block) drawBlock(where);
  if (!state.loupe || !state.cursor || !inPicture(state.cursor)) return;
  drawCursor(where);
  if (2 * where.zoom <= LENS_ZOOM * devicePixelRatio) drawLens(part);
}

// ---------------------------------------------------------------- grids

function drawGrids(where, clip) {
  const thin = Math.max(1, Math.round(devicePixelRatio));
  for (const [i, grid] of state.grids.entries()) {
    const luma = { column: grid.column % BLOCK, row: grid.row % BLOCK, columns: BLOCK, rows: BLOCK };
    const chroma = { column: grid.column, row: grid.row, columns: grid.chroma_columns, rows: grid.chroma_rows };
    if (i > 0) drawLines(where, clip, luma, { color: FIRST_SAVE, thickness: thin, dashed: true });
    else drawLines(where, clip, luma, { color: "rgb(255 255 255 / 70%)", thickness: thin });
    if (i === 0 && Math.max(chroma.rows, chroma.columns) > BLOCK) drawLines(where, clip, chroma, { color: "#ffffff", thickness: 2 * thin });
  }
}

// Solid lines have a dark one beside them, so that they are seen on any picture.
function drawLines(where, clip, { column, row, columns, rows }, { color, thickness, dashed = false }) {
  const [width, height] = size(), { zoom, left, top } = where;
  const x0 = Math.max(0, (clip.left - left) / zoom), x1 = Math.min(width, (clip.right - left) / zoom);
  const y0 = Math.max(0, (clip.top - top) / zoom), y1 = Math.min(height, (clip.bottom - top) / zoom);
  if (x0 >= x1 || y0 >= y1) return;
  const area = { x: left + x0 * zoom, y: top + y0 * zoom, width: (x1 - x0) * zoom, height: (y1 - y0) * zoom };
  const across = [...gridLines(column, columns, x0, x1)].map((x) => Math.round(left + x * zoom));
  const down = [...gridLines(row, rows, y0, y1)].map((y) => Math.round(top + y * zoom));
  if (dashed) {
    dashLines(area, across, down, color, thickness);
    return;
  }
  for (const [shift, ink] of [[thickness, "rgb(0 0 0 / 40%)"], [0, color]]) {
    pen.fillStyle = ink;
    for (const x of across) pen.fillRect(x + shift, area.y, thickness, area.height);
    for (const y of down) pen.fillRect(area.x, y + shift, area.width, thickness);
  }
}

function dashLines(area, across, down, color, thickness) {
  const aside = thickness / 2;  // a stroke lies on both sides of its path
  pen.setLineDash([4 * thickness, 3 * thickness]);
  pen.lineWidth = thickness;
  pen.strokeStyle = color;
  pen.beginPath();
  for (const x of across) {
    pen.moveTo(x + aside, area.y);
    pen.lineTo(x + aside, area.y + area.height);
  }
  for (const y of down) {
    pen.moveTo(area.x, y + aside);
    pen.lineTo(area.x + area.width, y + aside);
  }
  pen.stroke();
  pen.setLineDash([]);
}

// ---------------------------------------------------------------- marks

// Around whole pixels and outside them: light, and dark around it.
function drawFrame(x, y, width, height, color) {
  const line = Math.max(1, Math.round(devicePixelRatio));
  const left = Math.round(x), top = Math.round(y), right = Math.round(x + width), bottom = Math.round(y + height);
  for (const [thick, ink] of [[2 * line, "rgb(0 0 0 / 60%)"], [line, color]]) {
    pen.fillStyle = ink;
    pen.fillRect(left - thick, top - thick, right - left + 2 * thick, thick);
    pen.fillRect(left - thick, bottom, right - left + 2 * thick, thick);
    pen.fillRect(left - thick, top, thick, bottom - top);
    pen.fillRect(right, top, thick, bottom - top);
  }
}

// Never smaller than the eye can find.
function drawBlock({ zoom, left, top }) {
  const box = blockBox(state.block);
  const grow = Math.max(0, 6 * devicePixelRatio - box.width * zoom) / 2;
  drawFrame(left + box.x * zoom - grow, top + box.y * zoom - grow, box.width * zoom + 2 * grow, box.height * zoom + 2 * grow, ACCENT);
}

function drawCursor({ zoom, left, top }) {
  const { x, y } = state.cursor;
  const grow = Math.max(0, 4 * devicePixelRatio - zoom) / 2;
  drawFrame(left + x * zoom - grow, top + y * zoom - grow, zoom + 2 * grow, zoom + 2 * grow, "#ffffff");
}

// The pixels around the cursor in a corner of the pane, with the grids in their true phase.
function drawLens(part) {
  const zoom = Math.round(LENS_ZOOM * devicePixelRatio), side = LENS_PIXELS * zoom, gap = Math.round(8 * devicePixelRatio);
  const levels = levelsOf(part.id);
  if (!levels || part.right - part.left < 3 * side || part.bottom - part.top < 2 * side) return;
  const under = view(part.cell), [left, right] = [part.left + gap, part.right - side - gap];
  const hidden = Math.abs(under.left + state.cursor.x * under.zoom - left - side / 2) < side;  // the cursor would be under it
  const x = part.onRight || hidden ? right : left, y = part.bottom - side - gap;
  const half = (LENS_PIXELS - 1) / 2, first = { x: state.cursor.x - half, y: state.cursor.y - half };
  const where = { zoom, left: x - first.x * zoom, top: y - first.y * zoom };
  const box = { left: x, top: y, right: x + side, bottom: y + side };
  pen.save();
  pen.beginPath();
  pen.rect(x, y, side, side);
  pen.clip();
  pen.fillStyle = SURROUND;
  pen.fillRect(x, y, side, side);
  drawPicture(part.id, where, box);
  drawGrids(where, box);
  drawCursor(where);
  pen.restore();
  drawFrame(x, y, side, side, "#ffffff");
}
