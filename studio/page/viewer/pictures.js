// Fetches every picture once, keeps it with halves of halves of itself for small views, and reads its exact pixels piece by piece.

import { background } from "./background.js";
import { redraw } from "./frame.js";
import { visibleParts } from "./geometry.js";
import { finals, paneWith, shown, size, stagesOf, state } from "./state.js";

const PRELOAD_PIXELS = 6e6;
const MEMORY = 512e6;  // bytes of decoded pictures; beyond them, those not looked at are decoded again from their file when needed

// Runs in the background. Each level is half the one before in both directions, down to a thumbnail.
function pictureDecoding() {
  function half(bitmap) {
    const smaller = new OffscreenCanvas(Math.ceil(bitmap.width / 2), Math.ceil(bitmap.height / 2));
    const brush = smaller.getContext("2d", { alpha: false, willReadFrequently: true });
    brush.drawImage(bitmap, 0, 0, smaller.width, smaller.height);
    return smaller.transferToImageBitmap();
  }
  async function levelsOfFile(blob) {
    const levels = [await createImageBitmap(blob, { premultiplyAlpha: "none", colorSpaceConversion: "none" })];
    while (Math.max(levels.at(-1).width, levels.at(-1).height) > 256) levels.push(half(levels.at(-1)));
    return { result: levels, transfer: levels };
  }
  // Two at a time: decoded all at once, large pictures would all come late.
  /** @type {Promise<any>[]} */
  const lanes = [Promise.resolve(), Promise.resolve()];
  let count = 0;
  return {
    decode(blob) {
      const lane = count++ % lanes.length;
      const work = () => levelsOfFile(blob);
      lanes[lane] = lanes[lane].then(work, work);
      return lanes[lane];
    },
  };
}

const decoding = background(pictureDecoding);
export const pictures = new Map();  // by pane: { url, version, blob, levels, parts, current, loading, failed, used }
let clock = 0;

export function levelsOf(id) {
  const entry = pictures.get(id);
  if (!entry || !entry.levels) return null;
  entry.used = ++clock;
  return entry.levels;
}

// True where exactly this picture can be read: `levels` may still be those of the address before.
export function isCurrent(id) {
  const entry = pictures.get(id);
  return Boolean(entry && entry.current);
}

// A number for exactly this picture; addresses may be megabytes long. 0 where it cannot be read.
export function versionOf(id) {
  return isCurrent(id) ? pictures.get(id).version : 0;
}

export async function load(pane) {
  let entry = pictures.get(pane.id);
  if (!entry || entry.url !== pane.file.url) {
    const parts = entry ? entry.parts : new Map();
    entry = { url: pane.file.url, version: ++clock, blob: null, levels: entry && entry.levels, parts, current: false, used: ++clock };
    pictures.set(pane.id, entry);
  }
  loadParts(pane, entry);
  if (entry.current || entry.loading || entry.failed) return;
  entry.loading = true;
  try {
    entry.blob = entry.blob || await fetched(entry.url);
    keep(pane.id, entry, await decoding.ask("decode", entry.blob));
  } catch (problem) {
    console.warn("picture not loaded", pane.id, problem);
    Object.assign(entry, { loading: false, failed: true });
  }
  redraw();
}

async function fetched(url) {
  const reply = await fetch(url);
  if (!reply.ok) throw new Error(String(reply.status));
  return reply.blob();
}

// Rectangles of a picture that is still being worked on, drawn over what its pane shows until the whole of it is there.
async function loadParts(pane, entry) {
  for (const part of pane.parts || []) {
    if (entry.parts.has(part.file.url)) continue;
    const loaded = { ...part, bitmap: null };
    entry.parts.set(part.file.url, loaded);
    try {
      const bitmap = await createImageBitmap(await fetched(part.file.url), { premultiplyAlpha: "none", colorSpaceConversion: "none" });
      if (pictures.get(pane.id) === entry) loaded.bitmap = bitmap;
      else bitmap.close();
    } catch (problem) {
      console.warn("part not loaded", pane.id, problem);
    }
    redraw();
  }
}

export function partsOf(id) {
  const entry = pictures.get(id);
  return entry ? [...entry.parts.values()].filter((part) => part.bitmap) : [];
}

function close({ levels, parts }) {
  if (levels) for (const level of levels) level.close();
  for (const part of parts.values()) if (part.bitmap) part.bitmap.close();
}

function keep(id, entry, levels) {
  if (pictures.get(id) !== entry) {
    close({ levels, parts: new Map() });
    return;
  }
  const pane = paneWith(id), parts = pane && pane.parts ? entry.parts : new Map();
  close({ levels: entry.levels, parts: parts === entry.parts ? new Map() : entry.parts });
  Object.assign(entry, { levels, parts, current: true, loading: false });
  forgetOld();
}

function forgetOld() {
  const bytes = (entry) => (entry.levels ? 5.33 * entry.levels[0].width * entry.levels[0].height : 0);
  const needed = new Set([...shown(), state.reference]);
  const idle = [...pictures].filter(([id, entry]) => entry.current && !needed.has(id)).sort((x, y) => x[1].used - y[1].used);
  let total = [...pictures.values()].reduce((sum, entry) => sum + bytes(entry), 0);
  for (const [, entry] of idle) {
    if (total <= MEMORY) return;
    total -= bytes(entry);
    close({ levels: entry.levels, parts: new Map() });
    Object.assign(entry, { levels: null, current: false });
  }
}

export function forgetAll() {
  for (const entry of pictures.values()) close(entry);
  pictures.clear();
}

export function forgetMissing() {
  for (const [id, entry] of pictures) {
    if (paneWith(id)) continue;
    close(entry);
    pictures.delete(id);
  }
}

// Pictures on the screen, and all results where they are small, once somebody comes to the viewer; earlier stages travel once somebody looks
// at one of them.
export function loadNeeded() {
  const [width, height] = size(), results = finals(), shownNow = visibleParts().map((part) => paneWith(part.id));
  const ids = new Set(shownNow.filter(Boolean).map((pane) => pane.id));
  if (state.visited && results.length * width * height <= PRELOAD_PIXELS) results.forEach((pane) => ids.add(pane.id));
  for (const pane of shownNow) if (pane && pane.stage && !pane.last) stagesOf(pane).forEach((stage) => ids.add(stage.id));
  for (const id of ids) if (paneWith(id)) load(paneWith(id));
}

// ---------------------------------------------------------------- exact pixels

const reader = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });

export const UNIT = 256;  // calculations read pieces of at most this many pixels in both directions

// The pieces of a rectangle, cut where multiples of UNIT lie.
export function unitsOf({ x, y, width, height }) {
  const units = [];
  if (width <= 0 || height <= 0) return units;
  for (let top = y - (y % UNIT); top < y + height; top += UNIT) {
    for (let left = x - (x % UNIT); left < x + width; left += UNIT) {
      const x0 = Math.max(left, x), y0 = Math.max(top, y);
      units.push({ x: x0, y: y0, width: Math.min(left + UNIT, x + width) - x0, height: Math.min(top + UNIT, y + height) - y0 });
    }
  }
  return units;
}

// A rectangle with a margin, as far as the picture goes.
export function grown({ x, y, width, height }, margin) {
  const [columns, rows] = size(), left = Math.max(0, x - margin), top = Math.max(0, y - margin);
  return { x: left, y: top, width: Math.min(x + width + margin, columns) - left, height: Math.min(y + height + margin, rows) - top };
}

// RGBA of a rectangle inside the picture, as the file holds it.
export function readPixels(id, { x, y, width, height }) {
  const sheet = reader.canvas;
  if (sheet.width < width) sheet.width = width;
  if (sheet.height < height) sheet.height = height;
  reader.drawImage(levelsOf(id)[0], x, y, width, height, 0, 0, width, height);
  return reader.getImageData(0, 0, width, height).data;
}
