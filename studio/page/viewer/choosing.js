// Which pictures are looked at, and how.

import { find, make } from "../elements.js";
import { MAPS } from "./color_scales.js";
import { choices, selects } from "./controls.js";
import { redraw } from "./frame.js";
import { clampCenter, growSurface } from "./geometry.js";
import { forgetLook } from "./look.js";
import { tiles } from "./maps.js";
import { loadNeeded, pictures } from "./pictures.js";
import { finalOf, finals, inGrid, isFinal, paneWith, root, setAttribute, setText, shown, state } from "./state.js";

export function choose(side, id) {
  if (!paneWith(id)) return;
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
  if (state.zoom !== null) clampCenter();
  for (const entry of pictures.values()) entry.failed = false;  // what could not be loaded is tried once more
  loadNeeded();
  const detail = shown().map((id) => id.split("/")[0]);
  root.dispatchEvent(new CustomEvent("studio-shown", { bubbles: true, composed: true, detail }));
  redraw();
}

export function setMode(mode) {
  state.mode = mode;
  showPopup(".choices", false);
  changed();
}

export function showDegraded(only) {
  if (state.degradedOnly !== only) {
    state.degradedOnly = only;
    changed();
  }
}

export function stepPane(direction) {
  const all = finals(), at = all.indexOf(finalOf(paneWith(state.b)));
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

export function stepGain(factor) {
  state.gain = Math.min(Math.max(state.gain * factor, 1), 32);
  redraw();
}

function fillSelects() {
  for (const [side, select] of Object.entries(selects)) {
    select.replaceChildren(...finals().map((pane, i) => new Option((i < 9 ? i + 1 + "  " : "") + pane.label, pane.id)));
    const current = finalOf(paneWith(state[side]));
    if (current) select.value = current.id;
  }
}

// ---------------------------------------------------------------- panes of the grid

function fillChoices() {
  const count = state.panes.filter(inGrid).length;
  setText(find(".which"), "Panes: " + count + " of " + state.panes.length);
  const focused = choices.contains(document.activeElement) ? /** @type {HTMLInputElement} */ (document.activeElement).value : null;
  choices.replaceChildren(...state.panes.map((pane) => {
    const row = make("label");
    const box = make("input");
    Object.assign(box, { type: "checkbox", value: pane.id, checked: inGrid(pane), disabled: count === 1 && inGrid(pane) });
    row.append(box, pane.label);
    return row;
  }));
  const again = [...choices.querySelectorAll("input")].find((box) => box.value === focused);
  if (again) again.focus();
}

export function choosePane(id, visible) {
  const final = isFinal(paneWith(id)), set = final ? state.hidden : state.extra;
  if (visible === final) set.delete(id);
  else set.add(id);
  changed();
}

// ---------------------------------------------------------------- lists that open over the picture

export const OPENERS = { ".keys": ".help", ".choices": ".which" };

export function showPopup(selector, open) {
  const others = Object.keys(OPENERS).filter((other) => other !== selector);
  if (open) others.forEach((other) => showPopup(other, false));
  find(selector).hidden = !open;
  setAttribute(find(OPENERS[selector]), "aria-expanded", open);
}

export function toggleFull() {
  if (document.fullscreenElement) document.exitFullscreen();
  else if (root.requestFullscreen) root.requestFullscreen();
}
