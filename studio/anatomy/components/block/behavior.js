// One block, and everything about it that can be seen. The server sends the coefficients of a place; the rest is computed here.
//
// The value is what studio.anatomy.block_view.block_value returns; without parts the inspector takes no room. Triggers `pick` with
// {row, column}: another 8 × 8 block of the picture is wanted; and `frequency` with {component: number of the one on show, row, column}:
// a coefficient was clicked, or Enter pressed on it.

import { drawSamples, paint } from "./samples.js";
import { addTable, cursor, fill, listenToCells, moveCursor, strengthsOf } from "./tables.js";
import { SIDE, basisPattern, bitsOf, distance, quantized, rounded, samplesOf, tableAt, times } from "./transform.js";

const find = (selector) => element.querySelector(selector);
const section = find(".inspector");
const components = find(".components");
const fields = { row: find("input.row"), column: find("input.column") };
const modelSelect = find("select.model"), numbersOf = find("select.numbers-of");
const factor = find("input.factor");
const state = { component: 0, quality: 0, model: "" };

const value = () => props.value || {};
const parts = () => (Array.isArray(value().parts) ? value().parts : []);
const part = () => parts()[state.component] || parts()[0];
const models = () => value().models.filter((one) => part().restored[one.id]);
const shortNumber = (number) => (Math.abs(number) < 0.05 ? "0" : number.toFixed(Math.abs(number) < 99.95 ? 1 : 0).replace("-", "−"));
const whole = (number) => String(number).replace("-", "−");

for (const name of ["original", "step", "integers", "dequantized", "restored", "saved"]) addTable(name, find("[data-table=" + name + "]"));
addTable("samples", find(".numbers-table"), { live: false });

// ---------------------------------------------------------------- choosing

function ask(row, column) {
  const { extent, place } = value();
  const next = { row: Math.min(Math.max(row, 0), extent.rows - 1), column: Math.min(Math.max(column, 0), extent.columns - 1) };
  if (next.row === place.row && next.column === place.column) { drawFields(); return; }
  section.setAttribute("aria-busy", "true");
  trigger("pick", next);
}

function askPart(row, column) { const [down, across] = part().factors; ask(row * down, column * across); }

for (const [name, input] of Object.entries(fields)) {
  input.addEventListener("change", () => {
    const typed = Math.round(Number(input.value));
    if (Number.isFinite(typed)) askPart(...(name === "row" ? [typed, part().column] : [part().row, typed]));
    else drawFields();
  });
}

section.querySelectorAll("[data-step]").forEach((button) => button.addEventListener("click", () => {
  const [down, across] = button.dataset.step.split(",").map(Number);
  askPart(part().row + down, part().column + across);
}));

function choose(number) { state.component = number; draw(); }

modelSelect.addEventListener("change", () => { state.model = modelSelect.value; drawTables(); });
numbersOf.addEventListener("change", drawNumbers);
factor.addEventListener("input", () => { state.quality = Number(factor.value); drawSaved(); });

listenToCells({
  moved: drawStory,
  chosen: (index) => trigger("frequency", { component: part().number, row: Math.floor(index / SIDE), column: index % SIDE }),
});

// ---------------------------------------------------------------- drawing

function truth() { return part().original; }
function source() { return truth() || times(part().integers, part().table); }

function savedAgain() {
  const { annex, codes } = value(), kind = part().chroma ? "chroma" : "luma";
  const table = tableAt(annex[kind], state.quality), integers = quantized(source(), table);
  const bits = bitsOf(integers, rounded(part().previous_dc / table[0]), codes[kind]);
  return { table, integers, coefficients: times(integers, table), bits };
}

function pictures() {
  const file = times(part().integers, part().table);
  const list = truth() ? [{ id: "original", label: "Original", coefficients: truth() }] : [];
  list.push({ id: "file", label: "In the file", coefficients: file });
  list.push({ id: "saved", label: "At quality " + state.quality, coefficients: savedAgain().coefficients });
  for (const one of models()) list.push({ id: one.id, label: one.label, coefficients: part().restored[one.id] });
  return list;
}

function kindsOf(integers, before) {
  return integers.map((integer, i) => (integer !== 0 ? "survived" : before[i] !== 0 ? "died" : "none"));
}

// What the coefficients would be without any loss: the original's, rounded to whole numbers.
function beforeLoss() { return truth() ? truth().map(rounded) : null; }

function countOf(integers) { return integers.filter((one) => one !== 0).length; }

function survivalWords(kinds) {
  const count = (kind) => kinds.filter((one) => one === kind).length;
  return count("survived") + " of 64 survive" + (count("died") ? ", " + count("died") + " died" : "");
}

function drawTables() {
  const { table, integers, name } = part(), dequantized = times(integers, table), before = beforeLoss();
  fill("original", "Original", name + ", its cosine transform", truth() && truth().map(shortNumber), truth() ? { strengths: strengthsOf(truth()) } : {});
  fill("step", "÷ Quantization table", "of the file", table.map(String));
  const kinds = kindsOf(integers, before || integers);
  fill("integers", "= Integers in the file", survivalWords(kinds), integers.map(whole), { strengths: strengthsOf(dequantized), kinds });
  fill("dequantized", "× Table = decoded", "what the decoder knows", dequantized.map(whole), { strengths: strengthsOf(dequantized) });
  const chosen = models().find((one) => one.id === state.model) || models().at(-1);
  const restored = chosen && part().restored[chosen.id];
  fill("restored", "Restored", chosen ? chosen.label : "", restored ? restored.map(shortNumber) : null, restored ? { strengths: strengthsOf(restored) } : {});
}

function drawSaved() {
  const again = savedAgain();
  const kinds = kindsOf(again.integers, source().map(rounded));
  fill("saved", "Integers at quality " + state.quality, survivalWords(kinds), again.integers.map(whole), { strengths: strengthsOf(again.coefficients), kinds });
  find(".factor-words").textContent = state.quality;
  factor.setAttribute("aria-valuetext", "quality " + state.quality);
  const from = truth() ? "" : " No original is known: this saves the file's own block again.";
  find(".verdict").textContent = countOf(again.integers) + " of 64 coefficients survive, about " + again.bits + " bits, error "
    + distance(again.coefficients, source()).toFixed(1) + " levels." + from;
  drawSamples(pictures(), part().name, truth());
  drawNumbers();
  drawStory();
}

function drawStory() {
  const index = cursor, { table, integers } = part(), again = savedAgain();
  const row = Math.floor(index / SIDE), column = index % SIDE, step = table[index], low = (integers[index] - 0.5) * step;
  const words = [index ? "Row " + row + ", column " + column + ": " + row + " half waves down, " + column + " across." : "Row 0, column 0: the mean of the block, 8 times over (DC)."];
  if (truth()) words.push("Original " + truth()[index].toFixed(1) + " ÷ " + step + " = " + (truth()[index] / step).toFixed(2) + ", stored as " + integers[index] + ", decoded as " + integers[index] * step + ".");
  else words.push("Stored as " + integers[index] + ", times " + step + " is " + integers[index] * step + ".");
  words.push("The file allows " + low + " to " + (low + step) + ".");
  for (const one of models()) {
    const found = part().restored[one.id][index];
    words.push(one.label + " " + found.toFixed(1) + (Math.abs(found - integers[index] * step) <= step / 2 + value().tolerance ? ", inside." : ", outside."));
  }
  words.push("At quality " + state.quality + " it is divided by " + again.table[index] + " and stored as " + again.integers[index] + ".");
  find(".story").textContent = words.join(" ").replace(/ -/g, " −");
  const canvas = find(".basis"), pattern = basisPattern(index);
  paint(canvas, pattern, -0.25, 0.25);
  canvas.setAttribute("aria-label", "Basis pattern of row " + row + ", column " + column);
}

function drawNumbers() {
  const list = pictures(), kept = numbersOf.value;
  numbersOf.replaceChildren(...list.map((one) => new Option(one.label, one.id)));
  const one = list.find((each) => each.id === kept) || list[0];
  numbersOf.value = one.id;
  fill("samples", one.label, part().name + ", samples 0 to 255", samplesOf(one.coefficients).map(String));
}

function drawFields() {
  const { row, column, rows, columns } = part();
  Object.assign(fields.row, { value: row, max: rows - 1 });
  Object.assign(fields.column, { value: column, max: columns - 1 });
  const bits = value().bits_from_file ? part().bits + " bits in the file" : part().bits + " bits if it were baseline";
  find(".where").textContent = "of " + rows + " × " + columns + " blocks, " + bits;
}

function drawComponents() {
  components.replaceChildren(...parts().map((one, number) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = one.name;
    button.setAttribute("aria-pressed", String(number === state.component));
    button.addEventListener("click", () => { choose(number); components.children[number].focus(); });
    return button;
  }));
  modelSelect.replaceChildren(...models().map((one) => new Option(one.label, one.id)));
  const chosen = models().find((one) => one.id === state.model) || models().at(-1);
  if (chosen) modelSelect.value = chosen.id;
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
    factor.value = state.quality;
  }
  draw();
}

watch("value", update);
update();
