// Draws one picture, from the smallest level that holds enough pixels.

import { levelsOf, partsOf } from "./pictures.js";
import { canvas, state } from "./state.js";

export const SURROUND = "#767676";
export const pen = canvas.getContext("2d", { alpha: false });

// `clip` has left, top, right and bottom on the canvas; nothing outside it is read.
export function drawPicture(id, where, clip) {
  const levels = levelsOf(id);
  if (!levels) return;
  const { zoom, left, top } = where, whole = levels[0];
  const depth = Math.min(levels.length - 1, Math.max(0, Math.floor(Math.log2(1 / zoom) + 1e-9)));
  const level = levels[depth];
  const stepX = zoom * whole.width / level.width, stepY = zoom * whole.height / level.height;  // screen pixels per pixel of the level
  const x0 = Math.max(0, Math.floor((clip.left - left) / stepX) - 1), x1 = Math.min(level.width, Math.ceil((clip.right - left) / stepX) + 1);
  const y0 = Math.max(0, Math.floor((clip.top - top) / stepY) - 1), y1 = Math.min(level.height, Math.ceil((clip.bottom - top) / stepY) + 1);
  if (x0 >= x1 || y0 >= y1) return;
  pen.imageSmoothingEnabled = zoom < 1 || (zoom > 1 && !(state.sharp && zoom >= 2));
  pen.imageSmoothingQuality = zoom < 1 ? "low" : "high";  // between two levels there is less than a halving left to do
  pen.drawImage(level, x0, y0, x1 - x0, y1 - y0, left + x0 * stepX, top + y0 * stepY, (x1 - x0) * stepX, (y1 - y0) * stepY);
  for (const { x, y, width, height, bitmap } of partsOf(id)) {
    const from = Math.round(left + x * zoom), top0 = Math.round(top + y * zoom);
    pen.drawImage(bitmap, from, top0, Math.round(left + (x + width) * zoom) - from, Math.round(top + (y + height) * zoom) - top0);
  }
}
