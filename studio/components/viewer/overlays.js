// What is drawn over the pictures: block grids, the picked block, the pixel under the loupe, and the loupe itself.

const GRID_ZOOM = 4;
const LENS_PIXELS = 17, LENS_ZOOM = 6;  // picture pixels across, and CSS pixels for each
const ACCENT = "#5fd0da", FIRST_SAVE = "#ffb347";

function drawOverlays(part) {
  const where = view(part.cell);
  if (state.lines && where.zoom >= GRID_ZOOM) drawGrids(where, part);
  if (state.block) drawBlock(where);
  if (!state.loupe || !state.cursor || !inPicture(state.cursor)) return;
  drawCursor(where);
  if (where.zoom < LENS_ZOOM * devicePixelRatio) drawLens(part);
}

// ---------------------------------------------------------------- grids

function drawGrids(where, clip) {
  for (const [i, grid] of state.grids.entries()) {
    const line = Math.max(1, Math.round(devicePixelRatio));
    pen.setLineDash(i === 0 ? [] : [4 * line, 3 * line]);
    drawLines(where, clip, grid.column % BLOCK, grid.row % BLOCK, BLOCK, BLOCK, i === 0 ? "rgb(255 255 255 / 70%)" : FIRST_SAVE, line);
    if (i === 0 && Math.max(grid.chroma_rows, grid.chroma_columns) > BLOCK) {
      drawLines(where, clip, grid.column, grid.row, grid.chroma_columns, grid.chroma_rows, "#ffffff", 2 * line);
    }
  }
  pen.setLineDash([]);
}

// Each line twice, dark beside light, so that it is seen on any picture.
function drawLines(where, clip, column, row, columns, rows, color, thickness) {
  const [width, height] = size(), { zoom, left, top } = where;
  const x0 = Math.max(0, (clip.left - left) / zoom), x1 = Math.min(width, (clip.right - left) / zoom);
  const y0 = Math.max(0, (clip.top - top) / zoom), y1 = Math.min(height, (clip.bottom - top) / zoom);
  if (x0 >= x1 || y0 >= y1) return;
  for (const [shift, ink] of [[thickness, "rgb(0 0 0 / 45%)"], [0, color]]) {
    pen.beginPath();
    for (const x of gridLines(column, columns, x0, x1)) line(left + x * zoom + shift, top + y0 * zoom, left + x * zoom + shift, top + y1 * zoom);
    for (const y of gridLines(row, rows, y0, y1)) line(left + x0 * zoom, top + y * zoom + shift, left + x1 * zoom, top + y * zoom + shift);
    pen.lineWidth = thickness;
    pen.strokeStyle = ink;
    pen.stroke();
  }
}

// Half a pixel aside: a stroke of odd width then covers whole pixels.
function line(x0, y0, x1, y1) {
  pen.moveTo(Math.round(x0) + 0.5, Math.round(y0) + 0.5);
  pen.lineTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
}

// ---------------------------------------------------------------- marks

// Around whole pixels, light on dark.
function frame(x, y, width, height, color) {
  const line = Math.max(1, Math.round(devicePixelRatio)), aside = (line % 2) / 2;
  const left = Math.round(x) - line + aside, top = Math.round(y) - line + aside;
  const right = Math.round(x + width) + line - aside, bottom = Math.round(y + height) + line - aside;
  for (const [thickness, ink] of [[3 * line, "rgb(0 0 0 / 60%)"], [line, color]]) {
    pen.lineWidth = thickness;
    pen.strokeStyle = ink;
    pen.strokeRect(left, top, right - left, bottom - top);
  }
}

// Never smaller than the eye can find.
function drawBlock({ zoom, left, top }) {
  const box = blockBox(state.block);
  const grow = Math.max(0, 6 * devicePixelRatio - box.width * zoom) / 2;
  frame(left + box.x * zoom - grow, top + box.y * zoom - grow, box.width * zoom + 2 * grow, box.height * zoom + 2 * grow, ACCENT);
}

function drawCursor({ zoom, left, top }) {
  const { x, y } = state.cursor;
  const grow = Math.max(0, 4 * devicePixelRatio - zoom) / 2;
  frame(left + x * zoom - grow, top + y * zoom - grow, zoom + 2 * grow, zoom + 2 * grow, "#ffffff");
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
  frame(x, y, side, side, "#ffffff");
}
