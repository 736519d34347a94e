// What one viewer knows: its elements, the pictures the server named, and what people chose. Every viewer on a page has its own.
// The modules of a component run once for each of its places, with `element`, `props`, `watch` and `trigger` in scope.

import { find } from "../elements.js";

export const root = find(".viewer");
export const surface = find(".surface");
/** @type {HTMLCanvasElement} */
export const canvas = find("canvas");
export const life = new AbortController();  // ends once the viewer has left the page: listeners and workers go with it

/** @type {Record<string, any>} */
export const state = {
  panes: [], reference: "", hint: "", grids: [], turn: {}, picture: "", run: "",  // as the server sent them
  a: "", b: "", mode: "split", degradedOnly: false, visited: false, picked: false, hidden: new Set(), extra: new Set(),  // which pictures are looked at
  zoom: null, center: null, split: 0.5, sharp: true,  // how they lie; a zoom of null fits the whole picture
  spot: null,  // where looking closer tells most, [x, y]
  loupe: false, cursor: null, lines: false, block: null, map: "none", gain: 8,  // looking closer
};

export function listen(target, name, act, options = {}) {
  target.addEventListener(name, (event) => {
    if (stillHere()) act(event);
  }, { ...options, signal: life.signal });
}

// A viewer that was never on the page yet is still to come; one that was and is not any more is over.
let arrived = false;
export function stillHere() {
  arrived = arrived || element.isConnected;
  if (arrived && !element.isConnected) life.abort();
  return !life.signal.aborted;
}

// The page is touched only where something changed: most frames change the picture alone.
export function setText(node, words) {
  if (node.textContent !== words) node.textContent = words;
}
export function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
}
export function setVisible(node, visible) {
  if (node.hidden === visible) node.hidden = !visible;
}

const styles = new WeakMap();  // browsers write lengths their own way, so that what was set cannot be compared with what is read
export function setStyle(node, name, value) {
  const known = styles.get(node) || {};
  if (known[name] === value) return;
  node.style[name] = value;
  styles.set(node, { ...known, [name]: value });
}

// ---------------------------------------------------------------- panes

export function paneWith(id) {
  return state.panes.find((pane) => pane.id === id);
}

// Pictures that stand for themselves: everything but the earlier stages of a network.
export function isFinal(pane) {
  return !pane.stage || pane.last;
}
export function finals() {
  return state.panes.filter(isFinal);
}

export function finalOf(pane) {
  return pane && pane.group ? state.panes.find((other) => other.group === pane.group && other.last) : pane;
}

export function stagesOf(pane) {
  return pane && pane.group ? state.panes.filter((other) => other.group === pane.group) : [];
}

// Results are in the grid unless they were taken out, stages only where they were asked for.
export function inGrid(pane) {
  return isFinal(pane) ? !state.hidden.has(pane.id) : state.extra.has(pane.id);
}

// The stage that the scrubber chose stands in for its network's result.
export function gridPanes() {
  const staged = paneWith(state.b), chosen = state.panes.filter(inGrid);
  const stand = (pane) => (staged && staged.group && pane.last && pane.group === staged.group ? staged : pane);
  return [...new Set(chosen.map(stand))];
}

export function shown() {
  const degradedOnly = state.degradedOnly && paneWith("degraded");
  if (state.mode === "grid") return gridPanes().map((pane) => (degradedOnly ? "degraded" : pane.id));
  if (degradedOnly) return ["degraded"];
  if (state.mode === "flip") return [state.b];
  return state.a === state.b ? [state.b] : [state.a, state.b];
}

// Columns and rows; all pictures of one view have the same.
export function size() {
  const first = paneWith(state.b) || state.panes[0];
  return first ? [first.width, first.height] : [1, 1];
}

// What others are measured against: the original where one is known.
export function reference() {
  return paneWith(state.reference);
}
export function hasOriginal() {
  return state.reference === "original" && Boolean(reference());
}
