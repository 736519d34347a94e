// Draws numbers per 8 × 8 block in a color scale, and lets people point at blocks, by a click or the arrow keys.
//
// The value is what studio.anatomy.block_view.map_value returns; without maps it takes no room. Its numbers arrive as a PNG of one pixel
// per block, whose red and green channels are the high and the low byte of the number. Triggers `pick` with {row, column}.

import { find, make } from "../../../page/elements.js";

const section = find(".map");
const surface = find(".surface");
/** @type {HTMLCanvasElement} */
const canvas = find("canvas");
const marker = find(".marker");
const chooser = find(".segmented");
const numbers = new Map();  // url -> Uint16Array
const state = { map: 0, place: { row: 0, column: 0 } };

function value() {
  return props.value || {};
}

function maps() {
  return Array.isArray(value().maps) ? value().maps : [];
}

function currentMap() {
  return maps()[state.map] || maps()[0];
}

function clamp(number, length) {
  return Math.min(Math.max(number, 0), length - 1);
}

// ---------------------------------------------------------------- numbers

async function load(url) {
  if (numbers.has(url)) return numbers.get(url);
  const reply = await fetch(url);
  if (!reply.ok) throw new Error(String(reply.status));
  const bitmap = await createImageBitmap(await reply.blob(), { premultiplyAlpha: "none", colorSpaceConversion: "none" });
  const sheet = make("canvas");
  [sheet.width, sheet.height] = [bitmap.width, bitmap.height];
  const pen = sheet.getContext("2d", { willReadFrequently: true });
  pen.drawImage(bitmap, 0, 0);
  bitmap.close();
  const data = pen.getImageData(0, 0, sheet.width, sheet.height).data;
  const values = Uint16Array.from({ length: data.length / 4 }, (_, i) => data[4 * i] * 256 + data[4 * i + 1]);
  numbers.set(url, values);
  return values;
}

// ---------------------------------------------------------------- colors

function channels(color) {
  return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
}

function shade(scale, share) {
  const place = Math.min(Math.max(share, 0), 1) * (scale.length - 1);
  const below = Math.min(Math.floor(place), scale.length - 2);
  const [low, high] = [channels(scale[below]), channels(scale[below + 1])];
  return low.map((channel, i) => Math.round(channel + (high[i] - channel) * (place - below)));
}

// ---------------------------------------------------------------- drawing

async function draw() {
  section.hidden = !maps().length;
  if (section.hidden) return;
  if (state.map >= maps().length) state.map = 0;
  const map = currentMap();
  drawChooser();
  drawLegend(map);
  const values = await load(map.file.url);
  if (map.file.url !== currentMap().file.url) return;  // another component was chosen meanwhile
  [canvas.width, canvas.height] = [map.columns, map.rows];
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(map.columns, map.rows);
  values.forEach((number, i) => image.data.set([...shade(value().scale, number / map.highest), 255], 4 * i));
  pen.putImageData(image, 0, 0);
  surface.style.aspectRatio = map.columns * map.factors[1] + " / " + map.rows * map.factors[0];
  canvas.setAttribute("aria-label", map.alt);
  canvas.dataset.ready = map.file.url;
  drawMarker();
}

function drawChooser() {
  const focused = chooser.contains(document.activeElement);
  chooser.replaceChildren(...maps().map((map, number) => {
    const button = make("button", "", map.name);
    button.type = "button";
    button.setAttribute("aria-pressed", String(number === state.map));
    button.addEventListener("click", () => {
      state.map = number;
      draw();
    });
    return button;
  }));
  if (focused) chooser.children[state.map].focus();
}

function drawLegend(map) {
  find(".lowest").textContent = "0";
  find(".highest").textContent = map.highest + (map.most > map.highest ? " bits and more, up to " + map.most : " bits");
  find(".ramp").style.background = "linear-gradient(to right, " + value().scale.join(", ") + ")";
  find(".note").textContent = value().note;
}

function cellOf({ row, column }) {
  const map = currentMap();
  return [Math.min(Math.floor(row / map.factors[0]), map.rows - 1), Math.min(Math.floor(column / map.factors[1]), map.columns - 1)];
}

function drawMarker() {
  const map = currentMap();
  const [row, column] = cellOf(state.place);
  Object.assign(marker.style, {
    left: (100 * column) / map.columns + "%", top: (100 * row) / map.rows + "%",
    width: 100 / map.columns + "%", height: 100 / map.rows + "%",
  });
  marker.hidden = false;
  describe(row, column);
}

function describe(row, column) {
  const map = currentMap();
  const values = numbers.get(map.file.url);
  if (!values) return;
  find(".status").textContent = map.name + ", block row " + row + ", column " + column + ": " + values[row * map.columns + column] + " bits";
}

// ---------------------------------------------------------------- pointing

function cellAt(event) {
  const map = currentMap();
  const box = canvas.getBoundingClientRect();
  return [
    clamp(Math.floor(((event.clientY - box.top) / box.height) * map.rows), map.rows),
    clamp(Math.floor(((event.clientX - box.left) / box.width) * map.columns), map.columns),
  ];
}

function pick(row, column) {
  const map = currentMap();
  state.place = { row: clamp(row, map.rows) * map.factors[0], column: clamp(column, map.columns) * map.factors[1] };
  drawMarker();
  trigger("pick", { ...state.place });
}

function step(event) {
  const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  if (!move) return;
  event.preventDefault();
  event.stopPropagation();
  const [row, column] = cellOf(state.place);
  pick(row + move[0], column + move[1]);
}

surface.addEventListener("click", (event) => {
  const [row, column] = cellAt(event);
  pick(row, column);
});
surface.addEventListener("pointermove", (event) => {
  const [row, column] = cellAt(event);
  describe(row, column);
});
surface.addEventListener("pointerleave", () => {
  const [row, column] = cellOf(state.place);
  describe(row, column);
});
surface.addEventListener("keydown", step);

function update() {
  if (value().place) state.place = { row: value().place.row, column: value().place.column };
  draw().catch((error) => console.warn("map not drawn", error));
}

watch("value", update);
update();
