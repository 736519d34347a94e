// Which pictures are looked at, and how.

import { MAPS } from "./color_scales.js";
import { choices, selects } from "./controls.js";
import { redraw } from "./frame.js";
import { clampCentre, growSurface } from "./geometry.js";
import { forgetLook } from "./look.js";
import { tiles } from "./maps.js";
import { loadNeeded, pictures } from "./pictures.js";
import { finalOf, finals, find, inGrid, isFinal, mark, pane, root, say, shown, state } from "./state.js";

export function choose(side, id) {
  if (!pane(id)) return;
  state[side] = id;
  state.picked = true;
  forgetLook();
  changed();
}

// Another choice of pictures: sizes, lists and downloads follow.
export function changed() {
  growSurface();
  fillSelects();
  fillChoices();
  if (state.zoom !== null) clampCentre();
  for (const one of pictures.values()) one.failed = false;  // what could not be loaded is tried once more
  loadNeeded();
  const detail = shown().map((id) => id.split("/")[0]);
  root.dispatchEvent(new CustomEvent("studio-shown", { bubbles: true, composed: true, detail }));
  redraw();
}

export function setMode(mode) { state.mode = mode; showPopup(".choices", false); changed(); }

export function hold(yes) { if (state.held !== yes) { state.held = yes; changed(); } }

export function stepPane(direction) {
  const all = finals(), at = all.indexOf(finalOf(pane(state.b)));
  if (all.length) choose("b", all[(at + direction + all.length) % all.length].id);
}

export function setMap(map) {
  state.map = map;
  if (map === "none") tiles.clear();
  redraw();
}

export function nextMap() {
  const names = ["none", ...Object.keys(MAPS)];
  setMap(names[(names.indexOf(state.map) + 1) % names.length]);
}

export function stepGain(factor) { state.gain = Math.min(Math.max(state.gain * factor, 1), 32); redraw(); }

function fillSelects() {
  for (const [side, select] of Object.entries(selects)) {
    select.replaceChildren(...finals().map((one, i) => new Option((i < 9 ? i + 1 + "  " : "") + one.label, one.id)));
    const current = finalOf(pane(state[side]));
    if (current) select.value = current.id;
  }
}

// ---------------------------------------------------------------- panes of the grid

function fillChoices() {
  const count = state.panes.filter(inGrid).length;
  say(find(".which"), "Panes: " + count + " of " + state.panes.length);
  const focused = choices.contains(document.activeElement) ? document.activeElement.value : null;
  choices.replaceChildren(...state.panes.map((one) => {
    const row = document.createElement("label"), box = document.createElement("input");
    Object.assign(box, { type: "checkbox", value: one.id, checked: inGrid(one), disabled: count === 1 && inGrid(one) });
    row.append(box, one.label);
    return row;
  }));
  const again = [...choices.querySelectorAll("input")].find((box) => box.value === focused);
  if (again) again.focus();
}

export function choosePane(id, visible) {
  const final = isFinal(pane(id)), set = final ? state.hidden : state.extra;
  if (visible === final) set.delete(id); else set.add(id);
  changed();
}

// ---------------------------------------------------------------- lists that open over the picture

export const OPENERS = { ".keys": ".help", ".choices": ".which" };

export function showPopup(selector, open) {
  if (open) for (const other of Object.keys(OPENERS)) if (other !== selector) showPopup(other, false);
  find(selector).hidden = !open;
  mark(find(OPENERS[selector]), "aria-expanded", open);
}

export function toggleFull() {
  if (document.fullscreenElement) document.exitFullscreen();
  else if (root.requestFullscreen) root.requestFullscreen();
}
