// What people do to the viewer, and what the server sends. Runs after behavior.js, in the same scope.

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
