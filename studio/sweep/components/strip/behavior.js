// Small windows into pictures of one size. All look at the same place; dragging one, or the two sliders, moves all.
//
// The value:
// - panes: one per picture, all of the same size, each with id, label, detail and delta (numbers in words, or empty), marked (framed),
//   alt, width, height, file (from PictureFolder.served; here its url counts) and download (the file's name). Without panes it takes no room.
// - note: a sentence below.

import { find, findAll, make } from "../../../page/elements.js";

const section = find(".strip");
const list = find("ul");
/** @type {HTMLInputElement} */
const across = find(".across");
/** @type {HTMLInputElement} */
const down = find(".down");

let zoom = 1;

function panes() {
  return props.value && Array.isArray(props.value.panes) ? props.value.panes : [];
}

// Screen pixels by which the picture is larger than its window.
function slack(pane, view) {
  return [pane.width * zoom - view.clientWidth, pane.height * zoom - view.clientHeight];
}

// Whole screen pixels, so that every picture pixel stays a sharp square. A picture smaller than its window lies in the middle.
function place() {
  panes().forEach((pane, index) => {
    const view = list.children[index].querySelector(".window");
    const [x, y] = slack(pane, view);
    const left = x > 0 ? -x * Number(across.value) / 100 : -x / 2;
    const top = y > 0 ? -y * Number(down.value) / 100 : -y / 2;
    view.querySelector("img").style.transform = "translate(" + Math.round(left) + "px," + Math.round(top) + "px) scale(" + zoom + ")";
  });
}

function drag(event) {
  const view = event.currentTarget;
  const [x, y] = slack(panes()[0], view);
  const from = { x: event.clientX, y: event.clientY, across: Number(across.value), down: Number(down.value) };
  view.setPointerCapture(event.pointerId);
  view.onpointermove = (move) => {
    if (x > 0) across.value = String(from.across - (move.clientX - from.x) / x * 100);
    if (y > 0) down.value = String(from.down - (move.clientY - from.y) / y * 100);
    place();
  };
  view.onpointerup = view.onpointercancel = () => {
    view.onpointermove = null;
  };
}

function pictureWindow(pane) {
  const view = make("div", "window");
  view.style.touchAction = "pan-y";  // a finger that moves up or down scrolls the page
  const image = make("img");
  image.src = pane.file.url;
  image.alt = pane.alt;
  image.draggable = false;
  view.append(image);
  view.addEventListener("pointerdown", drag);
  return view;
}

function listItem(pane) {
  const item = make("li", pane.marked ? "marked" : "");
  item.dataset.id = pane.id;
  const save = make("a", "", "PNG");
  save.href = pane.file.url;
  save.download = pane.download;
  save.title = "Lossless, " + pane.download;
  save.setAttribute("aria-label", "Download " + pane.label + " as PNG");
  const name = make("p", "words");
  name.append(make("b", "", pane.label), make("span", "", pane.detail));
  const delta = make("p", "words");
  delta.append(make("span", "delta", pane.delta), save);
  item.append(pictureWindow(pane), name, delta);
  return item;
}

// A picture that is there already stays, so that nothing flickers while others arrive.
function update() {
  section.hidden = panes().length === 0;
  const items = new Map([...list.children].map((item) => [item.dataset.key, item]));
  list.replaceChildren(...panes().map((pane) => {
    const key = JSON.stringify([pane.file.url, pane.label, pane.detail, pane.delta, pane.marked]);
    const item = items.get(key) || listItem(pane);
    item.dataset.key = key;
    return item;
  }));
  find(".note").textContent = (props.value && props.value.note) || "";
  place();
}

function setZoom(button) {
  zoom = Number(button.dataset.zoom);
  for (const other of findAll("[data-zoom]")) other.setAttribute("aria-pressed", String(other === button));
  place();
}

for (const button of findAll("[data-zoom]")) button.addEventListener("click", () => setZoom(button));
across.addEventListener("input", place);
down.addEventListener("input", place);
new ResizeObserver(place).observe(list);

watch("value", update);
update();
