// Mouse, pen and fingers: drag moves the picture or the line, wheel and pinch zoom, a press that does not move picks a block.

import { pick } from "./blocks.js";
import { redraw } from "./frame.js";
import { carry, cellAt, fit, fits, pan, partAt, spotAt, zoomNow, zoomTo } from "./geometry.js";
import { pointAt } from "./loupe.js";
import { canvas, listen, shown, state, surface } from "./state.js";

const DRAG_FROM = 4;  // CSS pixels a press may tremble
const pointers = new Map();
let press = null;  // { at, moved, line }

function place(event) {
  const box = canvas.getBoundingClientRect();
  return [(event.clientX - box.left) * devicePixelRatio, (event.clientY - box.top) * devicePixelRatio];
}

function inPopup(event) {
  return Boolean(event.target.closest(".keys, .choices"));
}

export function moveSplit(x) {
  state.split = Math.min(Math.max(x / canvas.width, 0), 1);
  redraw();
}

// ---------------------------------------------------------------- press, move, release

function pressDown(event) {
  if (inPopup(event) || !state.panes.length || event.button > 0) return;
  surface.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, place(event));
  const onLine = Boolean(event.target.closest(".divider"));
  const line = onLine || (state.mode === "split" && shown().length === 2 && fits());
  if (pointers.size === 1) press = { at: place(event), moved: onLine, line };
  else if (press) Object.assign(press, { moved: true, line: false });
}

function move(event) {
  const before = pointers.get(event.pointerId), now = place(event);
  if (!before) {
    if (state.loupe && event.pointerType !== "touch" && !inPopup(event)) pointAt(spotAt(cellAt(...now), ...now));
    return;
  }
  if (!press.moved && Math.hypot(now[0] - press.at[0], now[1] - press.at[1]) < DRAG_FROM * devicePixelRatio) return;
  press.moved = true;
  pointers.set(event.pointerId, now);
  if (pointers.size === 2) pinch(event.pointerId, before, now);
  else if (press.line) moveSplit(now[0]);
  else pan(now[0] - before[0], now[1] - before[1]);
}

// The picture point between the fingers stays between them.
function pinch(id, before, now) {
  const other = [...pointers].find(([pointer]) => pointer !== id)[1];
  const between = (spot) => [(spot[0] + other[0]) / 2, (spot[1] + other[1]) / 2];
  const apart = (spot) => Math.max(Math.hypot(spot[0] - other[0], spot[1] - other[1]), 1);
  carry(zoomNow() * apart(now) / apart(before), between(before), between(now));
}

function release(event) {
  if (!pointers.delete(event.pointerId) || pointers.size) return;
  const at = place(event), part = press.moved || event.type === "pointercancel" ? null : partAt(...at);
  press = null;
  if (!part) return;
  const [x, y] = spotAt(part.cell, ...at), pixel = { x: Math.floor(x), y: Math.floor(y) };
  if (state.loupe) pointAt([x, y]);
  pick(pixel, part.id);
}

// ---------------------------------------------------------------- wheel and double press

function turnWheel(event) {
  if (inPopup(event) || !state.panes.length) return;
  event.preventDefault();
  zoomTo(zoomNow() * Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), place(event));
}

function pressTwice(event) {
  if (inPopup(event) || event.target.closest(".divider")) return;
  if (state.zoom === null) zoomTo(1, place(event)); else fit();
}

export function listenToPointers() {
  listen(surface, "pointerdown", pressDown);
  listen(surface, "pointermove", move);
  listen(surface, "pointerup", release);
  listen(surface, "pointercancel", release);
  listen(surface, "wheel", turnWheel, { passive: false });
  listen(surface, "dblclick", pressTwice);
}
