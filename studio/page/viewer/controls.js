// Brings labels, toolbar, legend and stage scrubber in line with the state; never changes the state.

import { find, findAll, make } from "../elements.js";
import { gridWords, lastGrid } from "./blocks.js";
import { MAPS, legendGradient, legendNumbers } from "./color_scales.js";
import { cropSentence, cropWords } from "./crop.js";
import { ZOOMS, cells, fits, zoomNow } from "./geometry.js";
import { publishLook } from "./look.js";
import { mapIsUnderway, showsMap } from "./maps.js";
import { GRID_ZOOM } from "./overlays.js";
import { pictures } from "./pictures.js";
import { canvas, hasOriginal, paneWith, reference, root, setAttribute, setStyle, setText, setVisible, shown, stagesOf, state, surface } from "./state.js";

const labels = find(".labels");
export const divider = find(".divider");
/** @type {Record<string, HTMLSelectElement>} */
export const selects = { a: find(".side-a select"), b: find(".side-b select") };
const stagesRow = find(".stages");
/** @type {HTMLInputElement} */
export const stagesInput = find(".stages input");
/** @type {HTMLSelectElement} */
export const mapSelect = find(".map select");
/** @type {HTMLSelectElement} */
export const gainSelect = find(".gain select");
/** @type {HTMLSelectElement} */
export const zoomSelect = find(".ratio select");
export const choices = find(".choices");

// ---------------------------------------------------------------- labels on the pictures

export function drawLabels() {
  const list = cells().flatMap((cell) => cell.ids.map((id, i) => ({ cell, id, right: cell.ids.length === 2 && i === 1 })));
  while (labels.children.length > list.length) labels.lastChild.remove();
  while (labels.children.length < list.length) {
    const label = make("span");
    label.append(make("b"), make("span"), make("span", "of-crop"));
    labels.append(label);
  }
  list.forEach(({ cell, id, right }, i) => placeLabel(labels.children[i], cell, paneWith(id), right));
}

function placeLabel(label, cell, pane, right) {
  setVisible(label, Boolean(pane));
  if (!pane) return;
  const ratio = devicePixelRatio;
  const words = cropWords(pane.id);
  setText(label.children[0], pane.label);
  setText(label.children[1], pane.detail || "");
  setText(label.children[2], words && "crop " + words);
  setStyle(label, "maxWidth", cell.width / cell.ids.length / ratio - 16 + "px");
  setStyle(label, "top", cell.y / ratio + 8 + "px");
  setStyle(label, "left", right ? "auto" : cell.x / ratio + 8 + "px");
  setStyle(label, "right", right ? (canvas.width - cell.x - cell.width) / ratio + 8 + "px" : "auto");
}

// ---------------------------------------------------------------- toolbar

function setPressed(selector, pressed) {
  setAttribute(find(selector), "aria-pressed", pressed);
}

function zoomWords(zoom) {
  const percent = zoom * 100;
  return (percent >= 10 ? Math.round(percent) : percent.toFixed(1)) + " %";
}

export function drawControls() {
  const zoom = zoomNow(), split = state.mode === "split" && shown().length === 2;
  setText(find(".percent"), state.panes.length ? zoomWords(zoom) : "–");
  zoomSelect.value = state.zoom === null ? "fit" : ZOOMS.includes(zoom) ? String(zoom) : "";
  setPressed("[data-zoom=fit]", state.zoom === null);
  setPressed("[data-zoom=one]", state.zoom === 1);
  setPressed(".nearest", state.sharp);
  setPressed(".magnify", state.loupe);
  setAttribute(root, "data-loupe", state.loupe);
  setPressed(".lines", state.lines);
  for (const button of findAll("[data-mode]")) setAttribute(button, "aria-pressed", button.dataset.mode === state.mode);
  setVisible(divider, split);
  setStyle(divider, "left", state.split * 100 + "%");
  setAttribute(divider, "aria-valuenow", Math.round(state.split * 100));
  find(".side-a").classList.toggle("off", state.mode !== "split");
  find(".side-b").classList.toggle("off", state.mode === "grid");
  setVisible(find(".which"), state.mode === "grid");
  const nothing = state.panes.length === 0;
  setText(find(".empty"), state.hint);
  setVisible(find(".empty"), nothing);
  setStyle(surface, "touchAction", fits() ? "pan-y" : "none");
  setAttribute(canvas, "aria-label", describe());
  drawLegend();
  drawStages();
  publishLook();
}

function describe() {
  const words = [...new Set(shown())].map(paneWith).filter(Boolean).map((pane) => {
    const crop = cropWords(pane.id), map = showsMap(pane.id) ? ", map of " + MAPS[state.map].name : "";
    return pane.alt + map + (pane.detail ? ", " + pane.detail : "") + (crop ? ", visible crop " + crop : "");
  });
  if (!words.length) return "No picture yet";
  return (words.length === 2 && state.mode === "split" ? "Left: " + words[0] + ". Right: " + words[1] : words.join(". ")) + ".";
}

// ---------------------------------------------------------------- legend and remarks

function drawLegend() {
  const map = state.map;
  mapSelect.value = map;
  gainSelect.value = String(state.gain);
  setVisible(find(".legend"), map !== "none");
  setVisible(find(".gain"), map !== "none" && map !== "ssim");
  if (map !== "none") {
    setStyle(find(".legend .scale"), "background", legendGradient(map));
    const numbers = legendNumbers(map, state.gain), row = find(".legend .numbers");
    while (row.children.length < 3) row.append(make("span"));
    [...row.children].forEach((node, i) => setText(node, (numbers.length === 2 ? [numbers[0], "", numbers[1]] : numbers)[i]));
    setText(find(".legend .unit"), MAPS[map].unit);
  }
  setAttribute(canvas, "data-map", map === "none" ? "none" : mapIsUnderway() ? "underway" : "ready");
  setText(find(".remarks"), remarks());
}

function remarks() {
  if (!state.panes.length) return "";
  return [lossRemark(), mapRemark(), gridRemark(), cropSentence()].filter(Boolean).join(" ");
}

function lossRemark() {
  const lost = shown().map(paneWith).find((pane) => pane && pictures.get(pane.id)?.failed);
  return lost ? "“" + lost.label + "” could not be loaded. Pictures are kept for a limited time. Repair it again." : "";
}

function mapRemark() {
  if (state.map === "none") return "";
  if (state.map === "blockiness") {
    return lastGrid() ? "By how much the step across the edge of a block exceeds the steps beside it." : "No block grid is known for this picture.";
  }
  if (!reference() || state.panes.length < 2) return "There is nothing to compare with yet.";
  if (!hasOriginal()) return "No original is known: the map compares with “" + reference().label + "”.";
  return "Compared with the original, which is shown as it is.";
}

function gridRemark() {
  if (!state.lines) return "";
  if (!lastGrid()) return "No block grid is known for this picture.";
  const seen = zoomNow() >= GRID_ZOOM || state.loupe;
  return seen ? "Grid: " + gridWords() + "." : "The grid is drawn from " + GRID_ZOOM + ":1 up.";
}

// ---------------------------------------------------------------- stages

function drawStages() {
  const pane = paneWith(state.b), siblings = stagesOf(pane);
  setVisible(stagesRow, siblings.length > 1 && !state.degradedOnly);
  if (stagesRow.hidden) return;
  setAttribute(stagesInput, "max", siblings.length);
  if (stagesInput.value !== String(pane.stage)) stagesInput.value = String(pane.stage);
  setAttribute(stagesInput, "aria-label", pane.scrubber || "Stage of " + pane.group);
  setText(find(".stages-name"), pane.scrubber || "Stages of " + pane.group);
  setText(find(".stages output"), pane.stage + " of " + siblings.length + (pane.detail ? " · " + pane.detail : ""));
}
