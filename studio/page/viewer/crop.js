// PSNR and SSIM of the part of the picture that is on the screen, by the conventions of training/evaluation/metrics.py: of the crop alone, as if it
// were a picture of its own. Summed up in the background unit by unit; what lies wholly inside is never summed up twice.

import { frame, redraw } from "./frame.js";
import { visibleCrop } from "./geometry.js";
import { UNIT, grown, isCurrent, readPixels, unitsOf, versionOf } from "./pictures.js";
import { hasOriginal, paneWith, shown, size, state } from "./state.js";

const WINDOW = 11;
const STILL_MS = 150;  // SSIM waits until the view rests that long
const sums = new Map();  // by key: a finished sum over one whole unit
let measured = null;  // { key, crop, inner, results: [{ id, version, errors, similarity }], against }: at work, or finished last
let nap = 0;

export function measuresCrop() {
  const [width, height] = size(), crop = visibleCrop();
  return hasOriginal() && (crop.width < width || crop.height < height);
}

export function forgetSums() {
  sums.clear();
  measured = null;
}

function plan() {
  const crop = visibleCrop(), ids = shown().filter((id) => id !== state.reference && paneWith(id) && isCurrent(id));
  const key = [crop.x, crop.y, crop.width, crop.height, ...[state.reference, ...ids].map(versionOf)].join(" ");
  return { key, crop, ids };
}

function begin({ key, crop, ids }) {
  const half = (WINDOW - 1) / 2;
  const inner = { x: crop.x + half, y: crop.y + half, width: crop.width - 2 * half, height: crop.height - 2 * half };
  const sum = (task, margin, todo) => ({ task, margin, todo, pending: todo.length, total: 0 });
  const results = ids.map((id) => ({
    id, version: versionOf(id), errors: sum("squaredError", 0, unitsOf(crop)), similarity: sum("similarity", half, unitsOf(inner)),
  }));
  measured = { key, crop, inner, results, against: versionOf(state.reference) };
}

// True where a picture of the crop at work has been replaced.
function outdated() {
  return measured.against !== versionOf(state.reference) || measured.results.some((result) => result.version !== versionOf(result.id));
}

function ready() {
  return measuresCrop() && isCurrent(state.reference);
}

export function nextErrorJob() {
  if (!ready()) return null;
  const latest = plan();
  // Squared errors are finished even while the view moves on, so that numbers follow the hand; then comes the newest crop.
  const done = measured && measured.results.every((result) => result.errors.pending === 0);
  if (!measured || outdated() || (done && measured.key !== latest.key)) begin(latest);
  return nextSum("errors");
}

// Calls `again` once the view has rested, if it has not yet.
export function nextSimilarityJob(again) {
  if (!ready() || !measured || plan().key !== measured.key) return null;
  const left = frame.movedAt + STILL_MS - performance.now();
  if (left <= 0) return nextSum("similarity");
  clearTimeout(nap);
  nap = setTimeout(again, left);
  return null;
}

function nextSum(which) {
  for (const result of measured.results) {
    const sum = result[which];
    while (sum.todo.length) {
      const job = sumJob(result.id, sum, sum.todo.shift());
      if (job) return job;
    }
  }
  return null;
}

// A job, or null where the sum of this unit was known.
function sumJob(id, sum, area) {
  const add = (value) => {
    sum.total += value;
    sum.pending--;
    if (sum.pending === 0) redraw();
  };
  const whole = area.width === UNIT && area.height === UNIT;
  const key = [sum.task, versionOf(id), versionOf(state.reference), area.x, area.y].join(" ");
  if (whole && sums.has(key)) {
    add(sums.get(key));
    return null;
  }
  const outer = grown(area, sum.margin);
  const pixels = readPixels(id, outer), others = readPixels(state.reference, outer);
  const done = (value) => {
    if (whole) sums.set(key, value);
    add(value);
  };
  return { task: sum.task, argument: { pixels, others, outer }, transfer: [pixels.buffer, others.buffer], done };
}

// ---------------------------------------------------------------- words

export function cropWords(id) {
  const result = measured && ready() ? measured.results.find((other) => other.id === id) : null;
  if (!result || result.errors.pending > 0) return "";
  const { crop, inner } = measured, error = result.errors.total / (3 * crop.width * crop.height);
  const psnr = error === 0 ? "identical" : (10 * Math.log10(255 ** 2 / error)).toFixed(2) + " dB";
  if (inner.width <= 0 || inner.height <= 0) return psnr;
  return psnr + ", SSIM " + (result.similarity.pending > 0 ? "…" : (result.similarity.total / (inner.width * inner.height)).toFixed(3));
}

export function cropSentence() {
  if (!measured || !ready() || !measured.results.length) return "";
  const { x, y, width, height } = measured.crop;
  return "Visible crop " + width + " × " + height + " at column " + x + ", row " + y
    + ": PSNR (RGB) and SSIM against the original, of this crop alone.";
}
