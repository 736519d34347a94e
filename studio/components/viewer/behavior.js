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
  document.dispatchEvent(new CustomEvent("studio-shown", { detail: shown().map((id) => id.split("/")[0]) }));
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
