// Compares pictures pixel by pixel. One canvas, one shared view (zoom and centre), so every pane moves with the others.
// A zoom of 1 draws one picture pixel on one screen pixel: the canvas is sized in device pixels and origins are whole numbers.

const find = (selector) => element.querySelector(selector);
const root = find(".viewer");
const surface = find(".surface");
const canvas = find("canvas");
const pen = canvas.getContext("2d", { alpha: false });
const labels = find(".labels");
const divider = find(".divider");
const selects = { a: find(".side-a select"), b: find(".side-b select") };
const stagesRow = find(".stages");
const stagesInput = find(".stages input");

const ZOOMS = [1 / 16, 1 / 8, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 1, 2, 3, 4, 6, 8, 12, 16];
const PRELOAD_PIXELS = 6e6;
const state = {
  panes: [], pictures: new Map(), a: "", b: "", mode: "split", held: false,
  zoom: null, centre: null, split: 0.5, sharp: true, picture: "", run: "", picked: false,
};

// ---------------------------------------------------------------- pictures

function pane(id) { return state.panes.find((one) => one.id === id); }

async function load(one) {
  const known = state.pictures.get(one.id);
  if (known && known.url === one.file.url) return;
  const entry = { url: one.file.url, bitmap: known ? known.bitmap : null };
  state.pictures.set(one.id, entry);
  try {
    const reply = await fetch(one.file.url);
    if (!reply.ok) throw new Error(String(reply.status));
    const bitmap = await createImageBitmap(await reply.blob(), { premultiplyAlpha: "none", colorSpaceConversion: "none" });
    if (state.pictures.get(one.id) === entry) entry.bitmap = bitmap; else bitmap.close();
  } catch (error) {
    console.warn("picture not loaded", one.id, error);
    if (state.pictures.get(one.id) === entry) state.pictures.delete(one.id);
  }
  redraw();
}

function shown() {
  if (state.held && pane("degraded")) return ["degraded"];
  if (state.mode === "flip") return [state.b];
  if (state.mode === "grid") return gridPanes().map((one) => one.id);
  return state.a === state.b ? [state.b] : [state.a, state.b];
}

function gridPanes() {
  const finals = state.panes.filter((one) => !one.stage || one.last);
  const staged = pane(state.b);
  return finals.map((one) => (staged && staged.group && one.group === staged.group ? staged : one)).slice(0, 9);
}

function bitmapOf(id) { const entry = state.pictures.get(id); return entry ? entry.bitmap : null; }

function loadShown() {
  for (const id of shown()) if (pane(id)) load(pane(id));
  const total = state.panes.reduce((sum, one) => sum + one.width * one.height, 0);
  if (total <= PRELOAD_PIXELS) state.panes.forEach(load);
}

// ---------------------------------------------------------------- geometry (device pixels)

// As many columns as show the whole picture largest.
function bestColumns(count) {
  const [width, height] = size();
  const zoomWith = (columns) => Math.min(canvas.width / columns / width, canvas.height / Math.ceil(count / columns) / height);
  let best = 1;
  for (let columns = 2; columns <= count; columns++) if (zoomWith(columns) > zoomWith(best)) best = columns;
  return best;
}

function cells() {
  const ids = shown();
  if (state.mode !== "grid" || state.held) return [{ x: 0, y: 0, width: canvas.width, height: canvas.height, ids }];
  const columns = bestColumns(ids.length);
  const rows = Math.ceil(ids.length / columns);
  const line = Math.round(2 * devicePixelRatio);
  return ids.map((id, i) => {
    const x = Math.round((i % columns) * canvas.width / columns), y = Math.round(Math.floor(i / columns) * canvas.height / rows);
    return { x, y, width: Math.round(canvas.width / columns) - line, height: Math.round(canvas.height / rows) - line, ids: [id] };
  });
}

function size() { const first = pane(state.b) || state.panes[0]; return first ? [first.width, first.height] : [1, 1]; }

function fitZoom(cell) {
  const [width, height] = size();
  const ratio = Math.min(cell.width / width, cell.height / height);
  return ratio >= 1 ? Math.floor(ratio) : ratio;
}

function zoomNow() { return state.zoom === null ? fitZoom(cells()[0]) : state.zoom; }

function view(cell) {
  const zoom = zoomNow(), [width, height] = size();
  const [x, y] = state.zoom === null || !state.centre ? [width / 2, height / 2] : state.centre;
  return { zoom, left: Math.round(cell.x + cell.width / 2 - x * zoom), top: Math.round(cell.y + cell.height / 2 - y * zoom) };
}

function clampCentre() {
  const cell = cells()[0], zoom = zoomNow(), [width, height] = size();
  const one = (value, length, room) => {
    const half = room / zoom / 2;
    return length <= 2 * half ? length / 2 : Math.min(Math.max(value, half), length - half);
  };
  const [x, y] = state.centre || [width / 2, height / 2];
  state.centre = [one(x, width, cell.width), one(y, height, cell.height)];
}

function cellAt(x, y) {
  return cells().find((cell) => x >= cell.x && y >= cell.y && x < cell.x + cell.width && y < cell.y + cell.height) || cells()[0];
}

function zoomTo(zoom, x = null, y = null) {
  const cell = x === null ? cells()[0] : cellAt(x, y);
  const at = [x === null ? cell.x + cell.width / 2 : x, y === null ? cell.y + cell.height / 2 : y];
  const before = view(cell);
  const next = Math.min(Math.max(zoom, 1 / 16), 16);
  const spot = [(at[0] - before.left) / before.zoom, (at[1] - before.top) / before.zoom];
  state.zoom = next;
  state.centre = [spot[0] - (at[0] - cell.x - cell.width / 2) / next, spot[1] - (at[1] - cell.y - cell.height / 2) / next];
  clampCentre();
  redraw();
}

function stepZoom(direction) {
  const now = zoomNow();
  const next = direction > 0 ? ZOOMS.find((z) => z > now * 1.01) : ZOOMS.findLast((z) => z < now * 0.99);
  if (next) zoomTo(next);
}

function pan(dx, dy) {
  if (state.zoom === null) state.zoom = zoomNow();
  const [width, height] = size(), zoom = zoomNow();
  const [x, y] = state.centre || [width / 2, height / 2];
  state.centre = [x - dx / zoom, y - dy / zoom];
  clampCentre();
  redraw();
}

// ---------------------------------------------------------------- drawing

let waiting = false;
function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; draw(); });
}

function draw() {
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.fillStyle = "#767676";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  for (const cell of cells()) drawCell(cell);
  drawLabels();
  drawControls();
}

function drawCell(cell) {
  const where = view(cell);
  const cut = Math.round(cell.x + cell.width * state.split);
  cell.ids.forEach((id, i) => {
    const bitmap = bitmapOf(id);
    if (!bitmap) return;
    const left = cell.ids.length === 2 && i === 1 ? cut : cell.x;
    const right = cell.ids.length === 2 && i === 0 ? cut : cell.x + cell.width;
    pen.save();
    pen.beginPath();
    pen.rect(left, cell.y, right - left, cell.height);
    pen.clip();
    pen.imageSmoothingEnabled = where.zoom < 1 || (where.zoom > 1 && !(state.sharp && where.zoom >= 2));
    pen.imageSmoothingQuality = "high";
    pen.drawImage(bitmap, where.left, where.top, bitmap.width * where.zoom, bitmap.height * where.zoom);
    pen.restore();
  });
}

function drawLabels() {
  const wanted = cells().flatMap((cell) => cell.ids.map((id, i) => ({ cell, id, right: cell.ids.length === 2 && i === 1 })));
  while (labels.children.length > wanted.length) labels.lastChild.remove();
  while (labels.children.length < wanted.length) {
    const label = document.createElement("span");
    label.append(document.createElement("b"), document.createElement("span"));
    labels.append(label);
  }
  wanted.forEach(({ cell, id, right }, i) => {
    const label = labels.children[i], one = pane(id);
    label.hidden = !one;
    if (!one) return;
    label.children[0].textContent = one.label;
    label.children[1].textContent = one.detail || "";
    label.style.maxWidth = cell.width / cell.ids.length / devicePixelRatio - 16 + "px";
    label.style.top = cell.y / devicePixelRatio + 8 + "px";
    label.style.left = right ? "auto" : cell.x / devicePixelRatio + 8 + "px";
    label.style.right = right ? (canvas.width - cell.x - cell.width) / devicePixelRatio + 8 + "px" : "auto";
  });
}

function drawControls() {
  const zoom = zoomNow();
  const percent = zoom * 100;
  find(".percent").textContent = (percent >= 10 ? Math.round(percent) : percent.toFixed(1)) + " %";
  find("[data-zoom=fit]").setAttribute("aria-pressed", String(state.zoom === null));
  find("[data-zoom=one]").setAttribute("aria-pressed", String(state.zoom === 1));
  find(".nearest").setAttribute("aria-pressed", String(state.sharp));
  root.querySelectorAll("[data-mode]").forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.mode === state.mode)));
  const split = state.mode === "split" && shown().length === 2;
  divider.hidden = !split;
  divider.style.left = state.split * 100 + "%";
  divider.setAttribute("aria-valuenow", String(Math.round(state.split * 100)));
  find(".side-a").classList.toggle("off", state.mode !== "split");
  find(".side-b").classList.toggle("off", state.mode === "grid");
  find(".empty").hidden = state.panes.length > 0;
  surface.style.touchAction = state.zoom === null && state.mode === "split" ? "pan-y" : "none";
  canvas.dataset.ready = String(shown().every((id) => bitmapOf(id)));
  canvas.setAttribute("aria-label", describe());
  drawStages();
}

function describe() {
  const words = shown().map(pane).filter(Boolean).map((one) => one.alt + (one.detail ? ", " + one.detail : ""));
  if (!words.length) return "No picture yet";
  return (words.length === 2 ? "Left: " + words[0] + ". Right: " + words[1] : words.join(". ")) + ".";
}

function drawStages() {
  const one = pane(state.b);
  const siblings = one && one.group ? state.panes.filter((other) => other.group === one.group) : [];
  stagesRow.hidden = siblings.length < 2 || state.held;
  if (stagesRow.hidden) return;
  stagesInput.max = String(siblings.length);
  stagesInput.value = String(one.stage);
  stagesInput.setAttribute("aria-label", "Stage of " + one.group);
  find(".stages-name").textContent = "Stages of " + one.group;
  find(".stages output").textContent = one.stage + " of " + siblings.length + (one.detail ? " · " + one.detail : "");
}

// ---------------------------------------------------------------- choosing

function choose(side, id, byHand = true) {
  if (!pane(id)) return;
  state[side] = id;
  if (byHand) state.picked = true;
  fillSelects();
  loadShown();
  redraw();
}

function finalOf(one) {
  return one && one.group ? state.panes.find((other) => other.group === one.group && other.last) : one;
}

function fillSelects() {
  const finals = state.panes.filter((one) => !one.stage || one.last);
  for (const [side, select] of Object.entries(selects)) {
    select.replaceChildren(...finals.map((one, i) => new Option((i < 9 ? i + 1 + "  " : "") + one.label, one.id)));
    const current = finalOf(pane(state[side]));
    if (current) select.value = current.id;
  }
}

function setMode(mode) { state.mode = mode; loadShown(); redraw(); }

function showKeys(open) {
  find(".keys").hidden = !open;
  find(".help").setAttribute("aria-expanded", String(open));
}

function toggleFull() {
  if (document.fullscreenElement) document.exitFullscreen();
  else if (root.requestFullscreen) root.requestFullscreen();
}

// ---------------------------------------------------------------- pointer

const pointers = new Map();
let grabbed = null;

function place(event) {
  const box = canvas.getBoundingClientRect();
  return [(event.clientX - box.left) * devicePixelRatio, (event.clientY - box.top) * devicePixelRatio];
}

function moveSplit(x) { state.split = Math.min(Math.max(x / canvas.width, 0), 1); redraw(); }

function larger() {
  const [width, height] = size(), cell = cells()[0], zoom = zoomNow();
  return width * zoom > cell.width + 1 || height * zoom > cell.height + 1;
}

surface.addEventListener("pointerdown", (event) => {
  if (event.target.closest(".keys") || !state.panes.length) return;
  surface.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, place(event));
  const onDivider = event.target.closest(".divider");
  grabbed = onDivider || (state.mode === "split" && !larger()) ? "divider" : "picture";
  if (grabbed === "divider" && !onDivider) moveSplit(place(event)[0]);
});

surface.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  const now = place(event);
  if (pointers.size === 2) {
    const other = [...pointers.entries()].find(([id]) => id !== event.pointerId)[1];
    const distance = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]);
    zoomTo(zoomNow() * distance(now) / Math.max(distance(before), 1), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  } else if (grabbed === "divider") moveSplit(now[0]);
  else pan(now[0] - before[0], now[1] - before[1]);
  pointers.set(event.pointerId, now);
});

for (const name of ["pointerup", "pointercancel"]) {
  surface.addEventListener(name, (event) => { pointers.delete(event.pointerId); if (!pointers.size) grabbed = null; });
}

surface.addEventListener("wheel", (event) => {
  if (!state.panes.length) return;
  event.preventDefault();
  const [x, y] = place(event);
  zoomTo(zoomNow() * Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), x, y);
}, { passive: false });

surface.addEventListener("dblclick", (event) => {
  const [x, y] = place(event);
  if (state.zoom === null) zoomTo(1, x, y); else { state.zoom = null; redraw(); }
});

divider.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1 }[event.key];
  if (!step) return;
  event.preventDefault();
  event.stopPropagation();
  moveSplit((state.split + step) * canvas.width);
});

// ---------------------------------------------------------------- keys

const KEYS = {
  "+": () => stepZoom(1), "=": () => stepZoom(1), "-": () => stepZoom(-1), "−": () => stepZoom(-1),
  "0": () => { state.zoom = null; redraw(); }, z: () => zoomTo(1),
  s: () => setMode("split"), x: () => setMode("flip"), g: () => setMode("grid"),
  n: () => { state.sharp = !state.sharp; redraw(); }, f: toggleFull,
  "?": () => showKeys(find(".keys").hidden), Escape: () => showKeys(false),
  ArrowLeft: () => pan(64, 0), ArrowRight: () => pan(-64, 0), ArrowUp: () => pan(0, 64), ArrowDown: () => pan(0, -64),
};

let hovered = false;
root.addEventListener("pointerenter", () => { hovered = true; });
root.addEventListener("pointerleave", () => { hovered = false; });

function mine(event) {
  if (!element.isConnected || event.ctrlKey || event.metaKey || event.altKey) return false;
  const focus = document.activeElement;
  const typing = focus && /^(INPUT|TEXTAREA|SELECT)$/.test(focus.tagName);
  const onButton = focus && focus.tagName === "BUTTON" && (event.key === " " || event.key === "Enter");
  if (typing || onButton) return false;
  return root.contains(focus) || hovered;
}

function onKeyDown(event) {
  if (!mine(event) || !state.panes.length) return;
  if (event.key === " ") {
    if (!state.held) { state.held = true; loadShown(); redraw(); }
  } else if (/^[1-9]$/.test(event.key)) {
    const one = state.panes.filter((p) => !p.stage || p.last)[Number(event.key) - 1];
    if (one) choose("b", one.id);
  } else if (KEYS[event.key]) KEYS[event.key]();
  else return;
  event.preventDefault();
}

function onKeyUp(event) { if (event.key === " " && state.held) { state.held = false; redraw(); } }

document.addEventListener("keydown", onKeyDown);
document.addEventListener("keyup", onKeyUp);
document.addEventListener("studio-show-pane", (event) => { if (element.isConnected) choose("b", event.detail); });

// ---------------------------------------------------------------- toolbar

root.querySelectorAll("[data-mode]").forEach((button) => button.addEventListener("click", () => setMode(button.dataset.mode)));
root.querySelectorAll("[data-zoom]").forEach((button) => button.addEventListener("click", () => {
  const act = { in: () => stepZoom(1), out: () => stepZoom(-1), one: () => zoomTo(1), fit: KEYS["0"] };
  act[button.dataset.zoom]();
}));
selects.a.addEventListener("change", () => choose("a", selects.a.value));
selects.b.addEventListener("change", () => choose("b", selects.b.value));
find(".nearest").addEventListener("click", KEYS.n);
find(".full").addEventListener("click", toggleFull);
find(".help").addEventListener("click", KEYS["?"]);
stagesInput.addEventListener("input", () => {
  const one = pane(state.b);
  const sibling = one && state.panes.find((other) => other.group === one.group && other.stage === Number(stagesInput.value));
  if (sibling) choose("b", sibling.id);
});

// ---------------------------------------------------------------- value and size

function update() {
  const value = props.value || {};
  state.panes = Array.isArray(value.panes) ? value.panes : [];
  if (value.run !== state.run) { state.run = value.run; state.picked = false; }
  if (value.picture !== state.picture) {
    state.picture = value.picture;
    state.zoom = null;
    state.centre = null;
    state.pictures.clear();
  }
  if (!state.picked || !pane(state.a)) state.a = pane(value.a) ? value.a : (state.panes[0] || { id: "" }).id;
  if (!state.picked || !pane(state.b)) state.b = pane(value.b) ? value.b : (state.panes[state.panes.length - 1] || { id: "" }).id;
  for (const id of state.pictures.keys()) if (!pane(id)) state.pictures.delete(id);
  fillSelects();
  loadShown();
  if (state.zoom !== null) clampCentre();
  redraw();
}

function resize() {
  const box = surface.getBoundingClientRect();
  // A canvas that starts between two screen pixels would be resampled by the browser.
  const snap = (at) => Math.round(at * devicePixelRatio) / devicePixelRatio - at;
  canvas.style.left = snap(box.left) + "px";
  canvas.style.top = snap(box.top + window.scrollY) + "px";
  const width = Math.max(1, Math.round(box.width * devicePixelRatio)), height = Math.max(1, Math.round(box.height * devicePixelRatio));
  if (canvas.width === width && canvas.height === height) return;
  canvas.width = width;
  canvas.height = height;
  canvas.style.width = width / devicePixelRatio + "px";
  canvas.style.height = height / devicePixelRatio + "px";
  if (state.zoom !== null) clampCentre();
  draw();
}

new ResizeObserver(resize).observe(surface);
window.addEventListener("resize", resize);
watch("value", update);
resize();
update();
