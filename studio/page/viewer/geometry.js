// Where pictures lie on the canvas, in device pixels. One zoom and one center for all panes, and panes of exactly equal size, so that
// every pane shows the same picture point at the same place. A zoom of 1 draws one picture pixel on one screen pixel.

import { redraw } from "./frame.js";
import { canvas, gridPanes, root, setStyle, shown, size, state, surface } from "./state.js";

export const ZOOMS = [1 / 16, 1 / 8, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 1, 2, 3, 4, 6, 8, 12, 16];
const NARROW = 520;  // CSS pixels
const SMALLEST_CELL = 180;

// Measured once per frame, before anything is written to the page: asking in between would make the browser lay it out again.
const page = { width: 0, top: 0, height: 0 };  // CSS pixels: of the viewer; of the surface, from the top of the window

export function measurePage() {
  const box = surface.getBoundingClientRect();
  Object.assign(page, { width: root.clientWidth, top: box.top, height: box.height });
  return box;
}

// A canvas that starts between two screen pixels would be resampled by the browser.
export function placeCanvas(box) {
  const snap = (at) => Math.round(at * devicePixelRatio) / devicePixelRatio - at;
  setStyle(canvas, "left", snap(box.left) + "px");
  setStyle(canvas, "top", snap(box.top + window.scrollY) + "px");
}

function isNarrow() {
  return page.width <= NARROW;
}
function isFull() {
  return document.fullscreenElement === root;
}

// The height that the style sheet gives the surface; the grid may ask for more.
function plainHeight() {
  const share = innerWidth >= 1280 ? 0.61 : innerWidth <= 760 ? 0.46 : 0.5;
  return isFull() ? page.height : Math.max(240, share * innerHeight);
}

// As many columns as show the whole picture largest; one on a phone.
function columnsFor(count) {
  if (isNarrow() && !isFull()) return 1;
  const [width, height] = size();
  const zoomWith = (columns) => Math.min(page.width / columns / width, plainHeight() / Math.ceil(count / columns) / height);
  let best = 1;
  for (let columns = 2; columns <= count; columns++) if (zoomWith(columns) > zoomWith(best)) best = columns;
  return best;
}

// A grid of many panes grows the page rather than shrink them.
export function growSurface() {
  let grown = 0;
  if (state.mode === "grid" && !isFull()) {
    const count = gridPanes().length, [width, height] = size();
    const whole = height * Math.min(page.width / width, 16 / devicePixelRatio);
    const cell = isNarrow() ? Math.min(Math.max(whole, 120), innerHeight * 0.6) + 2 : SMALLEST_CELL;
    grown = Math.round(cell * Math.ceil(count / columnsFor(count)));
  }
  root.style.setProperty("--grown", grown + "px");
}

export function cells() {
  const ids = shown();
  if (state.mode !== "grid" || ids.length < 2) return [{ x: 0, y: 0, width: canvas.width, height: canvas.height, ids }];
  const columns = columnsFor(ids.length), rows = Math.ceil(ids.length / columns);
  const line = Math.round(2 * devicePixelRatio);
  const width = Math.max(1, Math.floor((canvas.width - line * (columns - 1)) / columns));
  const height = Math.max(1, Math.floor((canvas.height - line * (rows - 1)) / rows));
  return ids.map((id, i) => ({ x: (i % columns) * (width + line), y: Math.floor(i / columns) * (height + line), width, height, ids: [id] }));
}

// Panes with the part of the canvas each may draw on; those scrolled off the screen are left out.
export function visibleParts() {
  const top = -page.top * devicePixelRatio, bottom = top + innerHeight * devicePixelRatio;
  const all = cells(), seen = (cell) => all.length === 1 || (cell.y < bottom && cell.y + cell.height > top);
  return all.filter(seen).flatMap((cell) => {
    const cut = Math.round(cell.x + cell.width * state.split), two = cell.ids.length === 2;
    return cell.ids.map((id, i) => {
      const left = two && i === 1 ? cut : cell.x, right = two && i === 0 ? cut : cell.x + cell.width;
      return { id, cell, left, right, top: cell.y, bottom: cell.y + cell.height, onRight: two && i === 1 };
    });
  });
}

export function cellAt(x, y) {
  const all = cells();
  return all.find((cell) => x >= cell.x && y >= cell.y && x < cell.x + cell.width && y < cell.y + cell.height) || all[0];
}

export function partAt(x, y) {
  return visibleParts().find((part) => x >= part.left && x < part.right && y >= part.top && y < part.bottom);
}

// ---------------------------------------------------------------- the shared view

function fitZoom() {
  const [width, height] = size(), cell = cells()[0];
  return Math.min(cell.width / width, cell.height / height, 16);
}

export function zoomNow() {
  return state.zoom === null ? fitZoom() : state.zoom;
}

function centerNow() {
  const [width, height] = size();
  return state.zoom === null || !state.center ? [width / 2, height / 2] : state.center;
}

// Zoom, and where the picture's top left corner lies. Whole numbers, so that whole zooms are exact.
export function view(cell) {
  const zoom = zoomNow(), [x, y] = centerNow();
  return { zoom, left: cell.x + Math.round(cell.width / 2 - x * zoom), top: cell.y + Math.round(cell.height / 2 - y * zoom) };
}

// The picture point, not rounded, at a place on the canvas.
export function spotAt(cell, x, y) {
  const where = view(cell);
  return [(x - where.left) / where.zoom, (y - where.top) / where.zoom];
}

export function clampCenter() {
  const cell = cells()[0], zoom = zoomNow(), [width, height] = size();
  const clamped = (value, length, room) => {
    const half = room / zoom / 2;
    return length <= 2 * half ? length / 2 : Math.min(Math.max(value, half), length - half);
  };
  const [x, y] = state.center || [width / 2, height / 2];
  state.center = [clamped(x, width, cell.width), clamped(y, height, cell.height)];
}

// True where the whole picture is on the screen: then fingers may scroll the page.
export function fits() {
  const [width, height] = size(), cell = cells()[0], zoom = zoomNow();
  return width * zoom <= cell.width + 1 && height * zoom <= cell.height + 1;
}

// Zooms so that the picture point that was at `from` comes to lie at `to`.
export function carry(zoom, from, to) {
  const cell = cellAt(...from);
  const [x, y] = spotAt(cell, ...from);
  const next = Math.min(Math.max(zoom, Math.min(1 / 16, fitZoom())), 16);
  state.zoom = next;
  state.center = [x - (to[0] - cell.x - cell.width / 2) / next, y - (to[1] - cell.y - cell.height / 2) / next];
  clampCenter();
  redraw();
}

// Around a place on the canvas, or what is in the middle now.
export function zoomTo(zoom, at = null) {
  if (at) {
    carry(zoom, at, at);
    return;
  }
  const center = centerNow();
  state.zoom = Math.min(Math.max(zoom, Math.min(1 / 16, fitZoom())), 16);
  state.center = center;
  clampCenter();
  redraw();
}

export function stepZoom(direction) {
  const now = zoomNow();
  const next = direction > 0 ? ZOOMS.find((z) => z > now * 1.01) : ZOOMS.findLast((z) => z < now * 0.99);
  if (next) zoomTo(next);
}

export function fit() {
  state.zoom = null;
  state.center = null;
  redraw();
}

export function pan(dx, dy) {
  const zoom = zoomNow(), [x, y] = centerNow();
  state.zoom = zoom;
  state.center = [x - dx / zoom, y - dy / zoom];
  clampCenter();
  redraw();
}

// Moves the view just far enough to show a picture pixel.
export function reveal({ x, y }) {
  if (fits()) return;
  const cell = cells()[0], zoom = zoomNow(), center = centerNow();
  const near = (value, middle, room) => {
    const reach = Math.max(room / zoom / 2 - 2, 0);
    return Math.min(Math.max(middle, value + 0.5 - reach), value + 0.5 + reach);
  };
  state.zoom = zoom;
  state.center = [near(x, center[0], cell.width), near(y, center[1], cell.height)];
  clampCenter();
}

// Columns and rows of the pixels that are wholly on the screen: { x, y, width, height }.
export function visibleCrop() {
  const cell = cells()[0], where = view(cell), [width, height] = size();
  const low = (edge, origin) => Math.max(0, Math.ceil((edge - origin) / where.zoom - 1e-6));
  const high = (edge, origin, length) => Math.min(length, Math.floor((edge - origin) / where.zoom + 1e-6));
  const x = low(cell.x, where.left), y = low(cell.y, where.top);
  return {
    x, y,
    width: Math.max(0, high(cell.x + cell.width, where.left, width) - x),
    height: Math.max(0, high(cell.y + cell.height, where.top, height) - y),
  };
}
