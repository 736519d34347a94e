// Draws one of the plotly figures the server sent in the theme's ink. Plotly is loaded before this runs.
//
// The value:
// - title: heading above the figure.
// - charts: what the switch beside it chooses between, each with label (for the switch), figure (plain data, made on studio.page.sheet),
//   alt (what a person who cannot see it hears) and file_name (of its PNG, without the ending). Without charts it takes no room.
// - files: further downloads, each with label, title, download (the file's name) and file (from PictureFolder; here its url counts).

const section = element.querySelector(".chart");
const plot = element.querySelector(".plot");
const switcher = element.querySelector(".switch");
const files = element.querySelector(".files");
const png = element.querySelector(".png");

const LEGIBLE = 3;  // contrast of lines with what they lie on, as WCAG 2.2 asks of graphics
const NARROW_CELL = 34;  // pixels below which the number in a cell of a map would not fit
const PNG_SIZE = { width: 1200, height: 750, scale: 2 };

let chosen = "";

const charts = () => (props.value && Array.isArray(props.value.charts) ? props.value.charts : []);
const current = () => charts().find((one) => one.label === chosen) || charts()[0];
const copied = (value) => JSON.parse(JSON.stringify(value));  // values arrive inside proxies, which cannot be cloned otherwise

// ---------------------------------------------------------------- ink

function ink(name) { return getComputedStyle(element).getPropertyValue("--studio-" + name).trim(); }

function channels(color) { return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255); }

function luminance(color) {
  const [red, green, blue] = channels(color).map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function lighter(color, share) {
  const mixed = channels(color).map((one) => Math.round(255 * (one + (1 - one) * share)));
  return "#" + mixed.map((one) => one.toString(16).padStart(2, "0")).join("");
}

// A model's colour is made for white paper; on a dark page the dark ones are lightened until they can be told from it.
function legible(color) {
  const page = ink("page");
  if (!/^#[0-9a-f]{6}$/i.test(color) || luminance(page) > 0.5) return color;
  for (let share = 0; share < 1; share += 0.1) if (contrast(lighter(color, share), page) >= LEGIBLE) return lighter(color, share);
  return "#ffffff";
}

// ---------------------------------------------------------------- drawing

function inTheme(layout) {
  const drawn = { ...layout, autosize: true, uirevision: current().file_name, dragmode: matchMedia("(pointer: fine)").matches ? "zoom" : false };
  delete drawn.title;
  drawn.margin = { ...layout.margin, t: 8 };
  const sheet = drawn.template.layout;
  sheet.font.color = ink("ink");
  sheet.font.family = getComputedStyle(element).fontFamily;
  sheet.paper_bgcolor = sheet.plot_bgcolor = ink("page");  // not transparent: labels and pointers are contrasted with it
  sheet.hoverlabel = { bgcolor: ink("panel"), bordercolor: ink("line-strong"), font: { ...sheet.font } };
  for (const axis of [sheet.xaxis, sheet.yaxis]) {
    axis.gridcolor = ink("line");
    axis.linecolor = axis.tickcolor = axis.zerolinecolor = axis.spikecolor = ink("line-strong");
  }
  return drawn;
}

function readable(trace) {
  for (const part of [trace.line, trace.marker, trace.marker && trace.marker.line]) if (part && part.color) part.color = legible(part.color);
  if (trace.type === "heatmap") {
    if (plot.clientWidth / trace.x.length < NARROW_CELL * 1.4) delete trace.texttemplate;
    const along = plot.clientWidth < 480 ? { orientation: "h", y: 1.02, yanchor: "bottom" } : {};
    trace.colorbar = { ...trace.colorbar, ...along };
  }
  return trace;
}

function draw() {
  const chart = current();
  if (!chart || plot.clientWidth === 0) return;
  const figure = copied(chart.figure);
  plot.setAttribute("aria-label", chart.alt);
  window.Plotly.react(plot, figure.data.map(readable), inTheme(figure.layout), { displayModeBar: false, doubleClick: "reset" });
  plot.dataset.drawn = chart.label;
}

// ---------------------------------------------------------------- around the figure

function button(chart) {
  const one = document.createElement("button");
  one.type = "button";
  one.textContent = chart.label;
  one.setAttribute("aria-pressed", String(chart === current()));
  one.addEventListener("click", () => { chosen = chart.label; update(); });
  return one;
}

function link(file) {
  const one = document.createElement("a");
  one.href = file.file.url;
  one.download = file.download;
  one.textContent = file.label;
  one.title = file.title;
  return one;
}

function update() {
  section.hidden = charts().length === 0;
  if (section.hidden) return;
  const focused = [...switcher.children].indexOf(document.activeElement);
  element.querySelector("h3").textContent = props.value.title;
  switcher.replaceChildren(...(charts().length > 1 ? charts().map(button) : []));
  if (focused >= 0 && switcher.children[focused]) switcher.children[focused].focus();
  png.title = "Picture of this figure, " + current().file_name + ".png";
  png.setAttribute("aria-label", "Download the figure " + props.value.title + ", " + current().label + " as PNG");
  files.replaceChildren(png, ...(props.value.files || []).map(link));
  draw();
}

png.addEventListener("click", () => {
  const { data, layout } = copied(current().figure);
  window.Plotly.downloadImage({ data, layout: { ...layout, ...PNG_SIZE } }, { format: "png", ...PNG_SIZE, filename: current().file_name });
});

let width = 0;
const resized = new ResizeObserver(() => { if (plot.clientWidth !== width) { width = plot.clientWidth; draw(); } });
resized.observe(plot);

const rethemed = new MutationObserver(() => {
  if (element.isConnected) draw();
  else { rethemed.disconnect(); resized.disconnect(); }
});
rethemed.observe(document.body, { attributes: true, attributeFilter: ["class"] });

watch("value", update);
update();
