// Draws the pictures: at most once per frame, only what is on the screen, and from the smallest level that holds enough pixels.

const SURROUND = "#767676";
const pen = canvas.getContext("2d", { alpha: false });

let waiting = false, frames = 0, movedAt = 0;
function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; if (stillHere()) draw(); });
}

function draw() {
  frames++;
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

// `clip` has left, top, right and bottom on the canvas; nothing outside it is read.
function drawPicture(id, where, clip) {
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
}

// For tests and for tools: where each pane's picture lies on the canvas, in device pixels, and whether it is there.
function describeView(parts) {
  const panes = parts.map((part) => ({ id: part.id, ...view(part.cell), cell: [part.cell.x, part.cell.y, part.cell.width, part.cell.height] }));
  const words = JSON.stringify(panes);
  if (canvas.dataset.view !== words) { canvas.dataset.view = words; movedAt = performance.now(); }
  canvas.dataset.ready = String(parts.every((part) => isCurrent(part.id)));
}
