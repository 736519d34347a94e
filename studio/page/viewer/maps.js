// Maps of what differs, in tiles of 256 × 256 values. For small views a value stands for a square of pixels, but it is always computed
// from all of them: pixels are read and sent to the background in units of 256 × 256 pixels, and only those on the screen.

import { BLOCK, lastGrid } from "./blocks.js";
import { colorValues } from "./color_scales.js";
import { measuresCrop } from "./crop.js";
import { frame, redraw } from "./frame.js";
import { view, visibleParts } from "./geometry.js";
import { pen } from "./pen.js";
import { UNIT, grown, isCurrent, readPixels, unitsOf, versionOf } from "./pictures.js";
import { paneWith, reference, size, state } from "./state.js";

const TILES = 192;
const MARGINS = { signed: 0, absolute: 0, squared: 0, ssim: 5, blockiness: 8 };
export const tiles = new Map();  // by key: { values, canvas, todo, pending, painted, seen }

// A map of the reference against itself would say nothing: it stays a picture.
export function showsMap(id) {
  if (state.map === "none" || !paneWith(id)) return false;
  return state.map === "blockiness" ? Boolean(lastGrid()) : Boolean(reference()) && id !== state.reference;
}

export function needsReference() {
  return Boolean(reference()) && ((state.map !== "none" && state.map !== "blockiness") || measuresCrop());
}

// Halvings of the map for a zoom: a value then covers 2, 4, ... pixels in both directions, about one on the screen.
function halvings(zoom) {
  return Math.min(4, Math.max(0, Math.round(Math.log2(1 / zoom))));
}

// ---------------------------------------------------------------- tiles

function tileAt(id, depth, column, row) {
  const against = state.map === "blockiness" ? [lastGrid().row % BLOCK, lastGrid().column % BLOCK] : [versionOf(state.reference)];
  const key = [state.map, versionOf(id), ...against, depth, column, row].join(" ");
  const tile = tiles.get(key) || newTile(depth, column, row);
  tile.seen = frame.count;
  tiles.delete(key);
  tiles.set(key, tile);  // the latest last: what is at the front was not looked at for the longest time
  const [oldest, { seen }] = tiles.entries().next().value;
  if (tiles.size > TILES && seen < frame.count) tiles.delete(oldest);
  return tile;
}

function newTile(depth, column, row) {
  const [width, height] = size(), reach = UNIT << depth, x = column * reach, y = row * reach;
  const todo = unitsOf({ x, y, width: Math.min(reach, width - x), height: Math.min(reach, height - y) });
  return { values: new Float32Array(UNIT * UNIT).fill(NaN), canvas: new OffscreenCanvas(UNIT, UNIT), todo, pending: todo.length, painted: "", seen: frame.count };
}

function* visibleTiles(part) {
  const where = view(part.cell), [width, height] = size(), depth = halvings(where.zoom), reach = UNIT << depth;
  const first = (edge, origin) => Math.max(0, Math.floor((edge - origin) / where.zoom / reach));
  const last = (edge, origin, length) => Math.min(Math.ceil(length / reach), Math.ceil((edge - origin) / where.zoom / reach));
  for (let row = first(part.top, where.top); row < last(part.bottom, where.top, height); row++) {
    for (let column = first(part.left, where.left); column < last(part.right, where.left, width); column++) {
      yield { tile: tileAt(part.id, depth, column, row), depth, column, row };
    }
  }
}

function canMap(id) {
  return showsMap(id) && isCurrent(id) && (state.map === "blockiness" || isCurrent(state.reference));
}

export function drawMap(id, where, part) {
  if (!canMap(id)) return;
  const [width, height] = size(), { zoom, left, top } = where;
  pen.save();
  pen.beginPath();
  pen.rect(left, top, width * zoom, height * zoom);
  pen.clip();
  pen.imageSmoothingEnabled = zoom < 1;
  pen.imageSmoothingQuality = "low";
  for (const { tile, depth, column, row } of visibleTiles(part)) {
    paint(tile);
    const reach = (UNIT << depth) * zoom;
    const x0 = Math.round(left + column * reach), x1 = Math.round(left + (column + 1) * reach);
    const y0 = Math.round(top + row * reach), y1 = Math.round(top + (row + 1) * reach);
    pen.drawImage(tile.canvas, x0, y0, x1 - x0, y1 - y0);
  }
  pen.restore();
}

// Colors the values anew where they or the gain have changed.
function paint(tile) {
  const look = state.map + " " + state.gain + " " + tile.pending;
  if (tile.painted === look) return;
  tile.painted = look;
  const picture = new ImageData(UNIT, UNIT);
  colorValues(tile.values, state.map, state.gain, picture.data);
  tile.canvas.getContext("2d", { willReadFrequently: true }).putImageData(picture, 0, 0);
}

// ---------------------------------------------------------------- jobs

export function nextMapJob() {
  for (const part of visibleParts()) {
    if (!canMap(part.id)) continue;
    for (const { tile, depth, column, row } of visibleTiles(part)) {
      if (tile.todo.length) return mapJob(part.id, tile, tile.todo.shift(), depth, column, row);
    }
  }
  return null;
}

function mapJob(id, tile, inner, depth, column, row) {
  const outer = grown(inner, MARGINS[state.map]), side = 1 << depth;
  const argument = { kind: state.map, inner, outer, side, pixels: readPixels(id, outer) };
  const transfer = [argument.pixels.buffer];
  if (state.map === "blockiness") argument.phase = lastGrid();
  else {
    argument.others = readPixels(state.reference, outer);
    transfer.push(argument.others.buffer);
  }
  const place = { x: (inner.x >> depth) - column * UNIT, y: (inner.y >> depth) - row * UNIT, width: Math.ceil(inner.width / side) };
  return { task: "values", argument, transfer, done: (values) => {
    fill(tile, values, place);
    redraw();
  } };
}

function fill(tile, values, { x, y, width }) {
  for (let row = 0; row * width < values.length; row++) {
    tile.values.set(values.subarray(row * width, (row + 1) * width), (y + row) * UNIT + x);
  }
  tile.pending--;
}

// True while tiles on the screen are not finished.
export function mapIsUnderway() {
  return visibleParts().some((part) => {
    if (!showsMap(part.id)) return false;
    return !canMap(part.id) || [...visibleTiles(part)].some(({ tile }) => tile.pending > 0);
  });
}
