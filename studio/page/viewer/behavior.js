// The comparing viewer: any number of pictures under one shared zoom and pan, drawn pixel for pixel. A page may hold several. Keys go to
// the one with the focus, else to the one under the pointer. The modules need nothing of Gradio: studio.page.standalone mounts them in a
// page of its own. This one connects the toolbar, takes what the server sends, follows the size of the page, and starts.
//
// The value is what studio.page.view.view_of returns:
// - panes: one per picture, all of the same size, each with id, label, detail (its PSNR in words, or empty), alt, width, height, file (from
//   PictureFolder.served; here its url counts), and for the stages of a network group, stage (1, 2, ...), last, and if need be scrubber,
//   what their slider is called instead. The ids "original" and "degraded" have their meaning.
// - a, b: ids that are compared until somebody chooses others; run: another one forgets that choice; picture: another one resets zoom,
//   loupe and block.
// - reference: the id that maps and the numbers of the visible crop compare with; numbers are shown for "original" only.
// - grids and turn: where the 8 × 8 blocks lie, see studio.page.block_grids.
// - hint: optional, what to do, said while there are no panes; without it the last one stays.
// - look: optional, what a link asks to be shown, see studio.session.link.look_values; section.viewer tells the present one in its
//   attribute data-look.
// - block: optional, {row, column} of a block to outline.
// - spot: optional, [x, y] where looking closer tells most.
// A pane of a picture that is still being worked on has parts: what is finished, [{x, y, width, height, file}], drawn over the pane's own.
//
// Triggers `block` with {row, column, pane}: a click that does not move, a tap, or Enter picked an 8 × 8 block, counted in the file's own
// grid (decoded_pixels), in the pane of this id.
//
// Hears `studio-preview` with {url, label, width, height} of a picture that is still on its way to the server, or null.
//
// In the page, events bubble from section.viewer, so listen on the document and ask event.target.closest("#viewer") which viewer it was:
// - studio-block, detail {row, column, pane}: as above.
// - studio-shown, detail [pane id, ...]: what is looked at, stages named by their network.
// Dispatched on section.viewer, studio-show-pane with a pane's id as detail shows that pane as picture B, and studio-closer goes to the spot
// at 1:1 where the whole of a large picture is shown. Its attribute data-sight has what of the picture is on the screen: [top, left,
// bottom, right] in shares.

import { find, findAll } from "../elements.js";
import { changed, choose, choosePane, setMap, setMode, showPopup, toggleFull } from "./choosing.js";
import { MAPS } from "./color_scales.js";
import { choices, gainSelect, mapSelect, selects, stagesInput, zoomSelect } from "./controls.js";
import { forgetSums } from "./crop.js";
import { draw } from "./drawing.js";
import { redraw } from "./frame.js";
import { ZOOMS, cells, clampCenter, fit, growSurface, measurePage, stepZoom, zoomNow, zoomTo } from "./geometry.js";
import { KEYS, listenToKeys } from "./keys.js";
import { followLook, takeLook } from "./look.js";
import { tiles } from "./maps.js";
import { forgetAll, forgetMissing, loadNeeded } from "./pictures.js";
import { listenToPointers } from "./pointer.js";
import { canvas, listen, paneWith, root, setStyle, stagesOf, state, stillHere, surface } from "./state.js";

function listenToToolbar() {
  for (const button of findAll("[data-mode]")) listen(button, "click", () => setMode(button.dataset.mode));
  const zooms = { in: () => stepZoom(1), out: () => stepZoom(-1), one: () => zoomTo(1), fit };
  for (const button of findAll("[data-zoom]")) listen(button, "click", zooms[button.dataset.zoom]);
  listen(zoomSelect, "change", () => {
    if (zoomSelect.value === "fit") fit();
    else if (zoomSelect.value) zoomTo(Number(zoomSelect.value));
  });
  listen(selects.a, "change", () => choose("a", selects.a.value));
  listen(selects.b, "change", () => choose("b", selects.b.value));
  listen(find(".which"), "click", () => showPopup(".choices", choices.hidden));
  listen(choices, "change", (event) => choosePane(event.target.value, event.target.checked));
  listen(find(".nearest"), "click", KEYS.n);
  listen(find(".magnify"), "click", KEYS.l);
  listen(find(".lines"), "click", KEYS.b);
  listen(mapSelect, "change", () => setMap(mapSelect.value));
  listen(gainSelect, "change", () => {
    state.gain = Number(gainSelect.value);
    redraw();
  });
  listen(find(".full"), "click", toggleFull);
  listen(find(".help"), "click", KEYS["?"]);
  listen(stagesInput, "input", () => {
    const sibling = stagesOf(paneWith(state.b)).find((other) => other.stage === Number(stagesInput.value));
    if (sibling) choose("b", sibling.id);
  });
}

// Options that do not depend on the pictures.
function fillToolbar() {
  const ratio = (zoom) => (zoom >= 1 ? zoom + ":1" : "1:" + (1 / zoom === Math.round(1 / zoom) ? 1 / zoom : (1 / zoom).toFixed(1)));
  zoomSelect.replaceChildren(new Option("whole", "fit"), ...ZOOMS.toReversed().map((zoom) => new Option(ratio(zoom), String(zoom))));
  mapSelect.replaceChildren(new Option("no map", "none"), ...Object.entries(MAPS).map(([id, map]) => new Option(map.name, id)));
  gainSelect.replaceChildren(...[1, 2, 4, 8, 16, 32].map((gain) => new Option("×" + gain, String(gain))));
}

function update() {
  take(props.value || {});
}

// A picture that is still on its way to the server, as the browser decodes it; null goes back to what the server sent.
function preview(event) {
  const shown = event.detail;
  if (!shown) update();
  else take({ picture: shown.url, run: shown.url, panes: [{ id: "degraded", detail: "", alt: shown.label, ...shown, file: { url: shown.url } }] });
}

function take(value) {
  const list = (name) => (Array.isArray(value[name]) ? value[name] : []);
  Object.assign(state, { panes: list("panes"), grids: list("grids"), turn: value.turn || {}, hint: value.hint ?? state.hint, reference: value.reference || "" });
  if (value.run !== state.run) {
    state.run = value.run;
    state.picked = false;
  }
  if (value.picture !== state.picture) {
    Object.assign(state, { picture: value.picture, zoom: null, center: null, cursor: null, block: null });
    forgetAll();
    tiles.clear();
    forgetSums();
  }
  const { panes } = state;
  if (!state.picked || !paneWith(state.a)) state.a = paneWith(value.a) ? value.a : (panes[0] || { id: "" }).id;
  if (!state.picked || !paneWith(state.b)) state.b = paneWith(value.b) ? value.b : (panes.at(-1) || { id: "" }).id;
  if (value.look) takeLook(value.look);
  followLook();
  if (value.block) state.block = value.block;
  state.spot = value.spot || null;
  forgetMissing();
  changed();
}

// Shrunk to less than half, a picture shows neither damage nor repair.
function lookCloser() {
  if (state.zoom !== null || !state.spot || zoomNow() * devicePixelRatio > 0.5) return;
  Object.assign(state, { zoom: 1, center: [...state.spot] });
  clampCenter();
  changed();
}

function resize() {
  measurePage();
  growSurface();
  const box = measurePage(), ratio = devicePixelRatio;
  const width = Math.max(1, Math.round(box.width * ratio)), height = Math.max(1, Math.round(box.height * ratio));
  if (canvas.width === width && canvas.height === height) return;
  Object.assign(canvas, { width, height });
  setStyle(canvas, "width", width / ratio + "px");
  setStyle(canvas, "height", height / ratio + "px");
  if (state.zoom !== null) clampCenter();
  loadNeeded();
  draw();
}

fillToolbar();
listenToToolbar();
listenToPointers();
listenToKeys();
listen(root, "studio-show-pane", (event) => choose("b", event.detail));
listen(root, "studio-closer", lookCloser);
listen(root, "studio-preview", preview);
for (const coming of ["pointerenter", "focusin"]) {
  listen(root, coming, () => {
    state.visited = true;
    loadNeeded();
  }, { once: true });
}
listen(document, "scroll", () => {
  if (cells().length > 1) {
    measurePage();
    loadNeeded();
    redraw();
  }
}, { capture: true, passive: true });
listen(window, "resize", resize);
new ResizeObserver(() => {
  if (stillHere()) resize();
}).observe(surface);
watch("value", update);
resize();
update();
