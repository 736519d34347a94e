// Brings labels, toolbar, legend and stage scrubber in line with the state; never changes the state.

import { gridWords, lastGrid } from "./blocks.js";
import { MAPS, legendGradient, legendNumbers } from "./color_scales.js";
import { cropSentence, cropWords } from "./crop.js";
import { ZOOMS, cells, fits, zoomNow } from "./geometry.js";
import { tellLook } from "./look.js";
import { mapIsUnderway, showsMap } from "./maps.js";
import { GRID_ZOOM } from "./overlays.js";
import { pictures } from "./pictures.js";
import { canvas, find, hasOriginal, mark, pane, reference, root, say, show, shown, stagesOf, state, style, surface } from "./state.js";

const labels = find(".labels");
export const divider = find(".divider");
export const selects = { a: find(".side-a select"), b: find(".side-b select") };
const stagesRow = find(".stages");
export const stagesInput = find(".stages input");
export const mapSelect = find(".map select");
export const gainSelect = find(".gain select");
export const zoomSelect = find(".ratio select");
export const choices = find(".choices");

// ---------------------------------------------------------------- labels on the pictures

export function drawLabels() {
  const wanted = cells().flatMap((cell) => cell.ids.map((id, i) => ({ cell, id, right: cell.ids.length === 2 && i === 1 })));
  while (labels.children.length > wanted.length) labels.lastChild.remove();
  while (labels.children.length < wanted.length) {
    const label = document.createElement("span");
    label.append(...["b", "span", "span"].map((name) => document.createElement(name)));
    label.lastChild.className = "of-crop";
    labels.append(label);
  }
  wanted.forEach(({ cell, id, right }, i) => placeLabel(labels.children[i], cell, pane(id), right));
}

function placeLabel(label, cell, one, right) {
  show(label, Boolean(one));
  if (!one) return;
  const ratio = devicePixelRatio, words = cropWords(one.id);
  say(label.children[0], one.label);
  say(label.children[1], one.detail || "");
  say(label.children[2], words && "crop " + words);
  style(label, "maxWidth", cell.width / cell.ids.length / ratio - 16 + "px");
  style(label, "top", cell.y / ratio + 8 + "px");
  style(label, "left", right ? "auto" : cell.x / ratio + 8 + "px");
  style(label, "right", right ? (canvas.width - cell.x - cell.width) / ratio + 8 + "px" : "auto");
}

// ---------------------------------------------------------------- toolbar

function pressed(selector, yes) { mark(find(selector), "aria-pressed", yes); }

function zoomWords(zoom) { const percent = zoom * 100; return (percent >= 10 ? Math.round(percent) : percent.toFixed(1)) + " %"; }

export function drawControls() {
  const zoom = zoomNow(), split = state.mode === "split" && shown().length === 2;
  say(find(".percent"), state.panes.length ? zoomWords(zoom) : "–");
  zoomSelect.value = state.zoom === null ? "fit" : ZOOMS.includes(zoom) ? String(zoom) : "";
  pressed("[data-zoom=fit]", state.zoom === null);
  pressed("[data-zoom=one]", state.zoom === 1);
  pressed(".nearest", state.sharp);
  pressed(".magnify", state.loupe);
  mark(root, "data-loupe", state.loupe);
  pressed(".lines", state.lines);
  for (const button of root.querySelectorAll("[data-mode]")) mark(button, "aria-pressed", button.dataset.mode === state.mode);
  show(divider, split);
  style(divider, "left", state.split * 100 + "%");
  mark(divider, "aria-valuenow", Math.round(state.split * 100));
  find(".side-a").classList.toggle("off", state.mode !== "split");
  find(".side-b").classList.toggle("off", state.mode === "grid");
  show(find(".which"), state.mode === "grid");
  const nothing = state.panes.length === 0;
  say(find(".empty"), state.hint);
  show(find(".empty"), nothing);
  style(surface, "touchAction", fits() ? "pan-y" : "none");
  mark(canvas, "aria-label", describe());
  drawLegend();
  drawStages();
  tellLook();
}

function describe() {
  const words = [...new Set(shown())].map(pane).filter(Boolean).map((one) => {
    const crop = cropWords(one.id), map = showsMap(one.id) ? ", map of " + MAPS[state.map].name : "";
    return one.alt + map + (one.detail ? ", " + one.detail : "") + (crop ? ", visible crop " + crop : "");
  });
  if (!words.length) return "No picture yet";
  return (words.length === 2 && state.mode === "split" ? "Left: " + words[0] + ". Right: " + words[1] : words.join(". ")) + ".";
}

// ---------------------------------------------------------------- legend and remarks

function drawLegend() {
  const map = state.map;
  mapSelect.value = map;
  gainSelect.value = String(state.gain);
  show(find(".legend"), map !== "none");
  show(find(".gain"), map !== "none" && map !== "ssim");
  if (map !== "none") {
    style(find(".legend .scale"), "background", legendGradient(map));
    const numbers = legendNumbers(map, state.gain), row = find(".legend .numbers");
    while (row.children.length < 3) row.append(document.createElement("span"));
    [...row.children].forEach((node, i) => say(node, (numbers.length === 2 ? [numbers[0], "", numbers[1]] : numbers)[i]));
    say(find(".legend .unit"), MAPS[map].unit);
  }
  mark(canvas, "data-map", map === "none" ? "none" : mapIsUnderway() ? "underway" : "ready");
  say(find(".remarks"), remarks());
}

function remarks() {
  if (!state.panes.length) return "";
  return [lossRemark(), mapRemark(), gridRemark(), cropSentence()].filter(Boolean).join(" ");
}

function lossRemark() {
  const lost = shown().map(pane).find((one) => one && pictures.get(one.id)?.failed);
  return lost ? "“" + lost.label + "” could not be loaded. Pictures are kept for a limited time. Restore it again." : "";
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
  const one = pane(state.b), siblings = stagesOf(one);
  show(stagesRow, siblings.length > 1 && !state.held);
  if (stagesRow.hidden) return;
  mark(stagesInput, "max", siblings.length);
  if (stagesInput.value !== String(one.stage)) stagesInput.value = String(one.stage);
  mark(stagesInput, "aria-label", one.scrubber || "Stage of " + one.group);
  say(find(".stages-name"), one.scrubber || "Stages of " + one.group);
  say(find(".stages output"), one.stage + " of " + siblings.length + (one.detail ? " · " + one.detail : ""));
}
