// The last script: connects the toolbar, takes what the server sends, follows the size of the page, and starts.

function listenToToolbar() {
  for (const button of root.querySelectorAll("[data-mode]")) on(button, "click", () => setMode(button.dataset.mode));
  const zooms = { in: () => stepZoom(1), out: () => stepZoom(-1), one: () => zoomTo(1), fit };
  for (const button of root.querySelectorAll("[data-zoom]")) on(button, "click", zooms[button.dataset.zoom]);
  on(zoomSelect, "change", () => { if (zoomSelect.value === "fit") fit(); else if (zoomSelect.value) zoomTo(Number(zoomSelect.value)); });
  on(selects.a, "change", () => choose("a", selects.a.value));
  on(selects.b, "change", () => choose("b", selects.b.value));
  on(find(".which"), "click", () => showPopup(".choices", choices.hidden));
  on(choices, "change", (event) => choosePane(event.target.value, event.target.checked));
  on(find(".nearest"), "click", KEYS.n);
  on(find(".magnify"), "click", KEYS.l);
  on(find(".lines"), "click", KEYS.b);
  on(mapSelect, "change", () => setMap(mapSelect.value));
  on(gainSelect, "change", () => { state.gain = Number(gainSelect.value); redraw(); });
  on(find(".full"), "click", toggleFull);
  on(find(".help"), "click", KEYS["?"]);
  on(stagesInput, "input", () => {
    const sibling = stagesOf(pane(state.b)).find((other) => other.stage === Number(stagesInput.value));
    if (sibling) choose("b", sibling.id);
  });
}

// Options that do not depend on the pictures.
function fillToolbar() {
  const ratio = (zoom) => (zoom >= 1 ? zoom + ":1" : "1:" + (1 / zoom === Math.round(1 / zoom) ? 1 / zoom : (1 / zoom).toFixed(1)));
  zoomSelect.replaceChildren(new Option("fit", "fit"), ...ZOOMS.toReversed().map((zoom) => new Option(ratio(zoom), String(zoom))));
  mapSelect.replaceChildren(new Option("no map", "none"), ...Object.entries(MAPS).map(([id, map]) => new Option(map.name, id)));
  gainSelect.replaceChildren(...[1, 2, 4, 8, 16, 32].map((gain) => new Option("×" + gain, String(gain))));
}

function update() {
  const value = props.value || {}, list = (name) => (Array.isArray(value[name]) ? value[name] : []);
  Object.assign(state, { panes: list("panes"), grids: list("grids"), turn: value.turn || {}, hint: value.hint ?? state.hint, reference: value.reference || "" });
  if (value.run !== state.run) { state.run = value.run; state.picked = false; }
  if (value.picture !== state.picture) {
    Object.assign(state, { picture: value.picture, zoom: null, centre: null, cursor: null, block: null });
    forgetAll();
    tiles.clear();
    sums.clear();
    measured = null;
  }
  const { panes } = state;
  if (!state.picked || !pane(state.a)) state.a = pane(value.a) ? value.a : (panes[0] || { id: "" }).id;
  if (!state.picked || !pane(state.b)) state.b = pane(value.b) ? value.b : (panes.at(-1) || { id: "" }).id;
  if (value.look) takeLook(value.look);
  followLook();
  if (value.block) state.block = value.block;
  forgetMissing();
  changed();
}

// A canvas that starts between two screen pixels would be resampled by the browser.
function placeCanvas(box) {
  const snap = (at) => Math.round(at * devicePixelRatio) / devicePixelRatio - at;
  style(canvas, "left", snap(box.left) + "px");
  style(canvas, "top", snap(box.top + window.scrollY) + "px");
}

function resize() {
  measurePage();
  growSurface();
  const box = measurePage(), ratio = devicePixelRatio;
  const width = Math.max(1, Math.round(box.width * ratio)), height = Math.max(1, Math.round(box.height * ratio));
  if (canvas.width === width && canvas.height === height) return;
  Object.assign(canvas, { width, height });
  style(canvas, "width", width / ratio + "px");
  style(canvas, "height", height / ratio + "px");
  if (state.zoom !== null) clampCentre();
  loadNeeded();
  draw();
}

fillToolbar();
listenToToolbar();
listenToPointers();
listenToKeys();
on(root, "studio-show-pane", (event) => choose("b", event.detail));
on(document, "scroll", () => { if (cells().length > 1) { measurePage(); loadNeeded(); redraw(); } }, { capture: true, passive: true });
on(window, "resize", resize);
new ResizeObserver(() => { if (stillHere()) resize(); }).observe(surface);
watch("value", update);
resize();
update();
