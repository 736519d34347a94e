// Keys. They belong to the viewer that has the focus, otherwise to the one under the pointer.

import { find } from "../elements.js";
import { BLOCK, pick } from "./blocks.js";
import { OPENERS, choose, nextMap, setMode, showDegraded, showPopup, stepGain, stepPane, toggleFull } from "./choosing.js";
import { divider } from "./controls.js";
import { redraw } from "./frame.js";
import { fit, pan, stepZoom, zoomTo } from "./geometry.js";
import { middle, moveCursor, toggleLoupe } from "./loupe.js";
import { moveSplit } from "./pointer.js";
import { canvas, finals, listen, root, shown, state } from "./state.js";

export const KEYS = {
  "+": () => stepZoom(1), "=": () => stepZoom(1), "-": () => stepZoom(-1), "−": () => stepZoom(-1), "0": fit, z: () => zoomTo(1),
  s: () => setMode("split"), x: () => setMode("flip"), g: () => setMode("grid"),
  "[": () => stepPane(-1), "]": () => stepPane(1),
  n: () => {
    state.sharp = !state.sharp;
    redraw();
  }, f: toggleFull,
  l: toggleLoupe, b: () => {
    state.lines = !state.lines;
    redraw();
  },
  m: nextMap, ",": () => stepGain(1 / 2), ".": () => stepGain(2),
  Enter: pickAtCursor, "?": () => showPopup(".keys", find(".keys").hidden), Escape: escape,
};
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const PAN_STEP = 64;

function pickAtCursor() {
  state.cursor = state.cursor || middle();
  pick(state.cursor, shown().at(-1));
}

// First closes what is open, then lets go of the block.
function escape() {
  const open = Object.keys(OPENERS).filter((selector) => !find(selector).hidden);
  for (const selector of open) {
    showPopup(selector, false);
    find(OPENERS[selector]).focus();
  }
  if (!open.length) state.block = null;
  redraw();
}

function arrow([x, y], far) {
  const step = far ? BLOCK : 1;
  if (state.loupe) moveCursor(x * step, y * step); else pan(-x * PAN_STEP * step, -y * PAN_STEP * step);
}

let hovered = false;

function mine(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return false;
  const focus = document.activeElement || document.body, viewer = focus.closest(".viewer");
  if (viewer ? viewer !== root : !hovered) return false;
  if (event.key === "Escape") return true;
  if (focus.matches("input, textarea, select, [contenteditable]")) return false;
  const acts = event.key === " " || event.key === "Enter" || (event.key in ARROWS && !viewer);
  return !(acts && focus.matches("button, a, summary, [role=tab], [role=slider]:not(.divider)"));
}

function keyDown(event) {
  if (!state.panes.length || !mine(event)) return;
  const number = /^[1-9]$/.test(event.key) && finals()[Number(event.key) - 1];
  if (event.key === " ") showDegraded(true);
  else if (ARROWS[event.key]) arrow(ARROWS[event.key], event.shiftKey);
  else if (KEYS[event.key]) KEYS[event.key]();
  else if (number) choose("b", number.id);
  else return;
  event.preventDefault();
}

function moveLine(event) {
  const step = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1 }[event.key];
  if (!step) return;
  event.preventDefault();
  event.stopPropagation();
  moveSplit((state.split + step) * canvas.width);
}

export function listenToKeys() {
  listen(root, "pointerenter", () => { hovered = true; });
  listen(root, "pointerleave", () => { hovered = false; });
  listen(document, "keydown", keyDown);
  listen(document, "keyup", (event) => {
    if (event.key === " ") showDegraded(false);
  });
  listen(window, "blur", () => showDegraded(false));
  listen(divider, "keydown", moveLine);
}
