// What one viewer knows: its elements, the pictures the server named, and what people chose. Every viewer on a page has its own.
// The scripts of this folder run one after the other in one function, with `element`, `props`, `watch` and `trigger` in scope.

const find = (selector) => element.querySelector(selector);
const root = find(".viewer");
const surface = find(".surface");
const canvas = find("canvas");
const life = new AbortController();  // ends once the viewer has left the page: listeners and workers go with it

const state = {
  panes: [], reference: "", hint: "", grids: [], turn: {}, picture: "", run: "",  // as the server sent them
  a: "", b: "", mode: "split", held: false, picked: false, hidden: new Set(), extra: new Set(),  // which pictures are looked at
  zoom: null, centre: null, split: 0.5, sharp: true,  // how they lie; a zoom of null fits the whole picture
  loupe: false, cursor: null, lines: false, block: null, map: "none", gain: 8,  // looking closer
};

function on(target, name, act, options = {}) {
  target.addEventListener(name, (event) => { if (stillHere()) act(event); }, { ...options, signal: life.signal });
}

// A viewer that was never on the page yet is still to come; one that was and is not any more is over.
let arrived = false;
function stillHere() {
  arrived = arrived || element.isConnected;
  if (arrived && !element.isConnected) life.abort();
  return !life.signal.aborted;
}

// The page is touched only where something changed: most frames change the picture alone.
function say(node, words) { if (node.textContent !== words) node.textContent = words; }
function mark(node, name, value) { if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value)); }
function show(node, visible) { if (node.hidden === visible) node.hidden = !visible; }

const styles = new WeakMap();  // browsers write lengths their own way, so that what was set cannot be compared with what is read
function style(node, name, value) {
  const known = styles.get(node) || {};
  if (known[name] === value) return;
  node.style[name] = value;
  styles.set(node, { ...known, [name]: value });
}

// ---------------------------------------------------------------- panes

function pane(id) { return state.panes.find((one) => one.id === id); }

// Pictures that stand for themselves: everything but the earlier stages of a network.
function isFinal(one) { return !one.stage || one.last; }
function finals() { return state.panes.filter(isFinal); }

function finalOf(one) {
  return one && one.group ? state.panes.find((other) => other.group === one.group && other.last) : one;
}

function stagesOf(one) { return one && one.group ? state.panes.filter((other) => other.group === one.group) : []; }

// Results are in the grid unless they were taken out, stages only where they were asked for.
function inGrid(one) { return isFinal(one) ? !state.hidden.has(one.id) : state.extra.has(one.id); }

// The stage that the scrubber chose stands in for its network's result.
function gridPanes() {
  const staged = pane(state.b), chosen = state.panes.filter(inGrid);
  const stand = (one) => (staged && staged.group && one.last && one.group === staged.group ? staged : one);
  return [...new Set(chosen.map(stand))];
}

function shown() {
  const held = state.held && pane("degraded");
  if (state.mode === "grid") return gridPanes().map((one) => (held ? "degraded" : one.id));
  if (held) return ["degraded"];
  if (state.mode === "flip") return [state.b];
  return state.a === state.b ? [state.b] : [state.a, state.b];
}

// Columns and rows; all pictures of one view have the same.
function size() { const first = pane(state.b) || state.panes[0]; return first ? [first.width, first.height] : [1, 1]; }

// What others are measured against: the original where one is known.
function reference() { return pane(state.reference); }
function hasOriginal() { return state.reference === "original" && Boolean(reference()); }
