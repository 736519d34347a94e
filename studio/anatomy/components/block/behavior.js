// One block, and everything about it that can be seen. The server sends the coefficients of a place; the rest is computed here.
//
// The value is what studio.anatomy.block_view.block_value returns; without parts the inspector takes no room. Triggers `pick` with
// {row, column}: another 8 × 8 block of the picture is wanted; and `frequency` with {component: number of the one on show, row, column}:
// a coefficient was clicked, or Enter pressed on it.

import { find, findAll, make } from "../../../page/elements.js";
import { drawSamples, paint } from "./samples.js";
import { addTable, cursor, fillTable, listenToCells, moveCursor, strengthsOf } from "./tables.js";
import { SIDE, basisPattern, bitsOf, distance, quantized, rounded, samplesOf, tableAt, times } from "./transform.js";

const section = find(".inspector");
const components = find(".components");
/** @type {Record<string, HTMLInputElement>} */
const fields = { row: find("input.row"), column: find("input.column") };
/** @type {HTMLSelectElement} */
const modelSelect = find("select.model");
/** @type {HTMLSelectElement} */
const numbersSelect = find("select.numbers-of");
/** @type {HTMLInputElement} */
const factor = find("input.factor");
const state = { component: 0, quality: 0, model: "" };

function value() {
  return props.value || {};
}

function parts() {
  return Array.isArray(value().parts) ? value().parts : [];
}

function part() {
  return parts()[state.component] || parts()[0];
}

function models() {
  return value().models.filter((model) => part().restored[model.id]);
}

function chosenModel() {
  return models().find((model) => model.id === state.model) || models().at(-1);
}

function withMinus(text) {
  return text.replace("-", "−");
}

function shortNumber(number) {
  if (Math.abs(number) < 0.05) return "0";
  return withMinus(number.toFixed(Math.abs(number) < 99.95 ? 1 : 0));
}

function whole(number) {
  return withMinus(String(number));
}

for (const name of ["original", "step", "integers", "dequantized", "restored", "saved"]) addTable(name, find("[data-table=" + name + "]"));
addTable("samples", find(".numbers-table"), { live: false });

// ---------------------------------------------------------------- choosing

function ask(row, column) {
  const { extent, place } = value();
  const next = { row: Math.min(Math.max(row, 0), extent.rows - 1), column: Math.min(Math.max(column, 0), extent.columns - 1) };
  if (next.row === place.row && next.column === place.column) {
    drawFields();
    return;
  }
  section.setAttribute("aria-busy", "true");
  trigger("pick", next);
}

// Row and column of a block of the component on show.
function askPart(row, column) {
  const [down, across] = part().factors;
  ask(row * down, column * across);
}

function enter(name) {
  const number = Math.round(Number(fields[name].value));
  if (!Number.isFinite(number)) drawFields();
  else if (name === "row") askPart(number, part().column);
  else askPart(part().row, number);
}

function step(button) {
  const [down, across] = button.dataset.step.split(",").map(Number);
  askPart(part().row + down, part().column + across);
}

function choose(number) {
  state.component = number;
  draw();
}

for (const name of Object.keys(fields)) fields[name].addEventListener("change", () => enter(name));
for (const button of findAll("[data-step]")) button.addEventListener("click", () => step(button));
modelSelect.addEventListener("change", () => {
  state.model = modelSelect.value;
  drawTables();
});
numbersSelect.addEventListener("change", drawNumbers);
factor.addEventListener("input", () => {
  state.quality = Number(factor.value);
  drawSaved();
});
listenToCells({
  moved: drawStory,
  chosen: (index) => trigger("frequency", { component: part().number, row: Math.floor(index / SIDE), column: index % SIDE }),
});

// ---------------------------------------------------------------- what is drawn

function truth() {
  return part().original;
}

function source() {
  return truth() || times(part().integers, part().table);
}

function savedAgain() {
  const { annex, codes } = value();
  const kind = part().chroma ? "chroma" : "luma";
  const table = tableAt(annex[kind], state.quality);
  const integers = quantized(source(), table);
  const bits = bitsOf(integers, rounded(part().previous_dc / table[0]), codes[kind]);
  return { table, integers, coefficients: times(integers, table), bits };
}

function pictures() {
  const file = times(part().integers, part().table);
  const list = truth() ? [{ id: "original", label: "Original", coefficients: truth() }] : [];
  list.push({ id: "file", label: "In the file", coefficients: file });
  list.push({ id: "saved", label: "At quality " + state.quality, coefficients: savedAgain().coefficients });
  for (const model of models()) list.push({ id: model.id, label: model.label, coefficients: part().restored[model.id] });
  return list;
}

function kindsOf(integers, before) {
  return integers.map((integer, i) => (integer !== 0 ? "survived" : before[i] !== 0 ? "died" : "none"));
}

// What the coefficients would be without any loss: the original's, rounded to whole numbers.
function beforeLoss() {
  return truth() ? truth().map(rounded) : null;
}

function survivalWords(kinds) {
  const count = (kind) => kinds.filter((other) => other === kind).length;
  return count("survived") + " of 64 survive" + (count("died") ? ", " + count("died") + " died" : "");
}

// ---------------------------------------------------------------- tables

// A table of coefficients with decimals, hidden where there are none.
function fillCoefficients(name, title, note, coefficients) {
  if (coefficients) fillTable(name, title, note, coefficients.map(shortNumber), { strengths: strengthsOf(coefficients) });
  else fillTable(name, title, note, null);
}

function drawTables() {
  const { table, integers, name } = part();
  const dequantized = times(integers, table);
  const kinds = kindsOf(integers, beforeLoss() || integers);
  const strengths = strengthsOf(dequantized);
  const model = chosenModel();
  fillCoefficients("original", "Original", name + ", its cosine transform", truth());
  fillTable("step", "÷ Quantization table", "of the file", table.map(String));
  fillTable("integers", "= Integers in the file", survivalWords(kinds), integers.map(whole), { strengths, kinds });
  fillTable("dequantized", "× Table = decoded", "what the decoder knows", dequantized.map(whole), { strengths });
  fillCoefficients("restored", "Restored", model ? model.label : "", model && part().restored[model.id]);
}

function drawSaved() {
  const again = savedAgain();
  const kinds = kindsOf(again.integers, source().map(rounded));
  const strengths = strengthsOf(again.coefficients);
  fillTable("saved", "Integers at quality " + state.quality, survivalWords(kinds), again.integers.map(whole), { strengths, kinds });
  find(".factor-words").textContent = String(state.quality);
  factor.setAttribute("aria-valuetext", "quality " + state.quality);
  const count = again.integers.filter((integer) => integer !== 0).length;
  const from = truth() ? "" : " No original is known: this saves the file's own block again.";
  find(".verdict").textContent = count + " of 64 coefficients survive, about " + again.bits + " bits, error "
    + distance(again.coefficients, source()).toFixed(1) + " levels." + from;
  drawSamples(pictures(), part().name, truth());
  drawNumbers();
  drawStory();
}

// ---------------------------------------------------------------- the coefficient under the cursor

function frequencyWords(index) {
  if (index === 0) return "Row 0, column 0: the mean of the block, 8 times over (DC).";
  const row = Math.floor(index / SIDE);
  const column = index % SIDE;
  return "Row " + row + ", column " + column + ": " + row + " half waves down, " + column + " across.";
}

function storedWords(index) {
  const integer = part().integers[index];
  const size = part().table[index];
  if (!truth()) return "Stored as " + integer + ", times " + size + " is " + integer * size + ".";
  return "Original " + truth()[index].toFixed(1) + " ÷ " + size + " = " + (truth()[index] / size).toFixed(2) + ", stored as " + integer
    + ", decoded as " + integer * size + ".";
}

function restoredWords(model, index) {
  const size = part().table[index];
  const coefficient = part().restored[model.id][index];
  const isInside = Math.abs(coefficient - part().integers[index] * size) <= size / 2 + value().tolerance;
  return model.label + " " + coefficient.toFixed(1) + (isInside ? ", inside." : ", outside.");
}

function drawStory() {
  const index = cursor;
  const again = savedAgain();
  const size = part().table[index];
  const low = (part().integers[index] - 0.5) * size;
  const words = [
    frequencyWords(index),
    storedWords(index),
    "The file allows " + low + " to " + (low + size) + ".",
    ...models().map((model) => restoredWords(model, index)),
    "At quality " + state.quality + " it is divided by " + again.table[index] + " and stored as " + again.integers[index] + ".",
  ];
  find(".story").textContent = words.join(" ").replace(/ -/g, " −");
  /** @type {HTMLCanvasElement} */
  const canvas = find(".basis");
  paint(canvas, basisPattern(index), -0.25, 0.25);
  canvas.setAttribute("aria-label", "Basis pattern of row " + Math.floor(index / SIDE) + ", column " + (index % SIDE));
}

// ---------------------------------------------------------------- the rest

function drawNumbers() {
  const list = pictures();
  const chosen = list.find((picture) => picture.id === numbersSelect.value) || list[0];
  numbersSelect.replaceChildren(...list.map((picture) => new Option(picture.label, picture.id)));
  numbersSelect.value = chosen.id;
  fillTable("samples", chosen.label, part().name + ", samples 0 to 255", samplesOf(chosen.coefficients).map(String));
}

function drawFields() {
  const { row, column, rows, columns, bits } = part();
  Object.assign(fields.row, { value: row, max: rows - 1 });
  Object.assign(fields.column, { value: column, max: columns - 1 });
  const bitsWords = bits + (value().bits_from_file ? " bits in the file" : " bits if it were baseline");
  find(".where").textContent = "of " + rows + " × " + columns + " blocks, " + bitsWords;
}

function drawComponents() {
  components.replaceChildren(...parts().map((component, number) => {
    const button = make("button", "", component.name);
    button.type = "button";
    button.setAttribute("aria-pressed", String(number === state.component));
    button.addEventListener("click", () => {
      choose(number);
      components.children[number].focus();
    });
    return button;
  }));
  modelSelect.replaceChildren(...models().map((model) => new Option(model.label, model.id)));
  if (chosenModel()) modelSelect.value = chosenModel().id;
}

function draw() {
  section.hidden = !parts().length;
  if (section.hidden) return;
  if (state.component >= parts().length) state.component = 0;
  drawComponents();
  drawFields();
  drawTables();
  drawSaved();
  moveCursor(cursor);
}

let picture = "";

function update() {
  section.removeAttribute("aria-busy");
  if (parts().length && value().picture !== picture) {
    picture = value().picture;
    state.quality = value().quality || 50;
    factor.value = String(state.quality);
  }
  draw();
}

watch("value", update);
update();
