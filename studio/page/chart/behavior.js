// Draws one of the plotly figures the server sent in the theme's ink. Plotly is loaded before this runs.
//
// The value:
// - title: heading above the figure.
// - charts: what the switch beside it chooses between, each with label (for the switch), figure (plain data, made on studio.page.sheet),
//   alt (what a person who cannot see it hears) and file_name (of its PNG, without the ending). Without charts it takes no room.
// - files: further downloads, each with label, title, download (the file's name) and file (from PictureFolder; here its url counts).

import { find, make } from "../elements.js";

const section = find(".chart");
const plot = find(".plot");
const switcher = find(".switch");
const files = find(".files");
const png = find(".png");

const LEGIBLE = 3;  // contrast of lines with what they lie on, as WCAG 2.2 asks of graphics
const NARROW_CELL = 34;  // pixels below which the number in a cell of a map would not fit
const PNG_SIZE = { width: 1200, height: 750, scale: 2 };

let chosen = "";

function charts() {
  return props.value && Array.isArray(props.value.charts) ? props.value.charts : [];
}

function currentChart() {
  return charts().find((chart) => chart.label === chosen) || charts()[0];
}

// Values arrive inside proxies, which cannot be cloned otherwise.
function copied(value) {
  return JSON.parse(JSON.stringify(value));
}

// ---------------------------------------------------------------- ink

function ink(name) {
  return getComputedStyle(element).getPropertyValue("--studio-" + name).trim();
}

function channels(color) {
  return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255);
}

function luminance(color) {
  const [red, green, blue] = channels(color).map((channel) => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(color, other) {
  const [dark, light] = [luminance(color), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function lighter(color, share) {
  const mixed = channels(color).map((channel) => Math.round(255 * (channel + (1 - channel) * share)));
  return "#" + mixed.map((channel) => channel.toString(16).padStart(2, "0")).join("");
}

// A model's color is made for white paper; on a dark page the dark ones are lightened until they can be told from it.
function legible(color) {
  const page = ink("page");
  if (!/^#[0-9a-f]{6}$/i.test(color) || luminance(page) > 0.5) return color;
  for (let share = 0; share < 1; share += 0.1) {
    if (contrast(lighter(color, share), page) >= LEGIBLE) return lighter(color, share);
  }
  return "#ffffff";
}

// ---------------------------------------------------------------- drawing

function inTheme(layout) {
  const dragmode = matchMedia("(pointer: fine)").matches ? "zoom" : false;
  const themed = { ...layout, autosize: true, uirevision: currentChart().file_name, dragmode };
  delete themed.title;
  themed.margin = { ...layout.margin, t: 8 };
  const sheet = themed.template.layout;
  sheet.font.color = ink("ink");
  sheet.font.family = getComputedStyle(element).fontFamily;
  sheet.paper_bgcolor = sheet.plot_bgcolor = ink("page");  // not transparent: labels and pointers are contrasted with it
  sheet.hoverlabel = { bgcolor: ink("panel"), bordercolor: ink("line-strong"), font: { ...sheet.font } };
  for (const axis of [sheet.xaxis, sheet.yaxis]) {
    axis.gridcolor = ink("line");
    axis.linecolor = axis.tickcolor = axis.zerolinecolor = axis.spikecolor = ink("line-strong");
  }
  return themed;
}

function readable(trace) {
  for (const part of [trace.line, trace.marker, trace.marker && trace.marker.line]) {
    if (part && part.color) part.color = legible(part.color);
  }
  if (trace.type === "heatmap") {
    if (plot.clientWidth / trace.x.length < NARROW_CELL * 1.4) delete trace.texttemplate;
    const along = plot.clientWidth < 480 ? { orientation: "h", y: 1.02, yanchor: "bottom" } : {};
    trace.colorbar = { ...trace.colorbar, ...along };
  }
  return trace;
}

function draw() {
  const chart = currentChart();
  if (!chart || plot.clientWidth === 0) return;
  const figure = copied(chart.figure);
  plot.setAttribute("aria-label", chart.alt);
  window.Plotly.react(plot, figure.data.map(readable), inTheme(figure.layout), { displayModeBar: false, doubleClick: "reset" });
  plot.dataset.drawn = chart.label;
}

// ---------------------------------------------------------------- around the figure

function switchButton(chart) {
  const button = make("button", "", chart.label);
  button.type = "button";
  button.setAttribute("aria-pressed", String(chart === currentChart()));
  button.addEventListener("click", () => {
    chosen = chart.label;
    update();
  });
  return button;
}

function download(file) {
  const link = make("a", "", file.label);
  link.href = file.file.url;
  link.download = file.download;
  link.title = file.title;
  return link;
}

function savePng() {
  const { data, layout } = copied(currentChart().figure);
  const size = { format: "png", ...PNG_SIZE, filename: currentChart().file_name };
  window.Plotly.downloadImage({ data, layout: { ...layout, ...PNG_SIZE } }, size);
}

function update() {
  section.hidden = charts().length === 0;
  if (section.hidden) return;
  const focused = [...switcher.children].findIndex((button) => button === document.activeElement);
  find("h3").textContent = props.value.title;
  switcher.replaceChildren(...(charts().length > 1 ? charts().map(switchButton) : []));
  if (focused >= 0 && switcher.children[focused]) switcher.children[focused].focus();
  png.title = "Picture of this figure, " + currentChart().file_name + ".png";
  png.setAttribute("aria-label", "Download the figure " + props.value.title + ", " + currentChart().label + " as PNG");
  files.replaceChildren(png, ...(props.value.files || []).map(download));
  draw();
}

let width = 0;
const resized = new ResizeObserver(() => {
  if (plot.clientWidth === width) return;
  width = plot.clientWidth;
  draw();
});
resized.observe(plot);

const rethemed = new MutationObserver(() => {
  if (element.isConnected) {
    draw();
    return;
  }
  rethemed.disconnect();
  resized.disconnect();
});
rethemed.observe(document.body, { attributes: true, attributeFilter: ["class"] });

png.addEventListener("click", savePng);
watch("value", update);
update();
