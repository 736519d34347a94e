// Draws the pictures: at most once per frame, only what is on the screen, and from the smallest level that holds enough pixels.

import { calculate } from "./calculations.js";
import { drawControls, drawLabels } from "./controls.js";
import { frame } from "./frame.js";
import { measurePage, placeCanvas, view, visibleCrop, visibleParts } from "./geometry.js";
import { drawLoupe } from "./loupe.js";
import { drawMap, needsReference, showsMap } from "./maps.js";
import { drawOverlays } from "./overlays.js";
import { SURROUND, drawPicture, pen } from "./pen.js";
import { isCurrent, load } from "./pictures.js";
import { canvas, reference, root, setAttribute, size } from "./state.js";

frame.draw = draw;

export function draw() {
  frame.count++;
  placeCanvas(measurePage());
  if (needsReference()) load(reference());  // a gesture may have made it needed
  const parts = visibleParts();
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.fillStyle = SURROUND;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  for (const part of parts) drawPart(part);
  drawLabels();
  drawControls();
  drawLoupe();
  describeView(parts);
  calculate();
}

function drawPart(part) {
  const where = view(part.cell);
  pen.save();
  pen.beginPath();
  pen.rect(part.left, part.top, part.right - part.left, part.bottom - part.top);
  pen.clip();
  if (showsMap(part.id)) drawMap(part.id, where, part); else drawPicture(part.id, where, part);
  drawOverlays(part);
  pen.restore();
}

// For tests and for tools: where each pane's picture lies on the canvas, in device pixels, and whether it is there.
function describeView(parts) {
  const panes = parts.map((part) => ({ id: part.id, ...view(part.cell), cell: [part.cell.x, part.cell.y, part.cell.width, part.cell.height] }));
  const words = JSON.stringify(panes);
  if (canvas.dataset.view !== words) {
    canvas.dataset.view = words;
    frame.movedAt = performance.now();
  }
  const [width, height] = size(), { x, y, width: columns, height: rows } = visibleCrop();
  setAttribute(root, "data-sight", JSON.stringify([y / height, x / width, (y + rows) / height, (x + columns) / width]));
  canvas.dataset.ready = String(parts.every((part) => isCurrent(part.id)));
}
