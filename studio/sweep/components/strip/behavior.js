// Small windows into pictures of one size. All look at the same place; dragging one, or the two sliders, moves all.
//
// The value:
// - panes: one per picture, all of the same size, each with id, label, detail and delta (numbers in words, or empty), marked (framed),
//   alt, width, height, file (from PictureFolder.served; here its url counts) and download (the file's name). Without panes it takes no room.
// - note: a sentence below.

const section = element.querySelector(".strip");
const list = element.querySelector("ul");
const across = element.querySelector(".across");
const down = element.querySelector(".down");

let zoom = 1;

const panes = () => (props.value && Array.isArray(props.value.panes) ? props.value.panes : []);

// Screen pixels by which the picture is larger than its window.
function slack(pane, view) { return [pane.width * zoom - view.clientWidth, pane.height * zoom - view.clientHeight]; }

// Whole screen pixels, so that every picture pixel stays a sharp square. A picture smaller than its window lies in the middle.
function place() {
  panes().forEach((pane, index) => {
    const view = list.children[index].querySelector(".window");
    const [x, y] = slack(pane, view);
    const left = x > 0 ? -x * across.value / 100 : -x / 2;
    const top = y > 0 ? -y * down.value / 100 : -y / 2;
    view.firstChild.style.transform = "translate(" + Math.round(left) + "px," + Math.round(top) + "px) scale(" + zoom + ")";
  });
}

function drag(event) {
  const view = event.currentTarget;
  const [x, y] = slack(panes()[0], view);
  const from = { x: event.clientX, y: event.clientY, across: Number(across.value), down: Number(down.value) };
  view.setPointerCapture(event.pointerId);
  view.onpointermove = (move) => {
    if (x > 0) across.value = from.across - (move.clientX - from.x) / x * 100;
    if (y > 0) down.value = from.down - (move.clientY - from.y) / y * 100;
    place();
  };
  view.onpointerup = view.onpointercancel = () => { view.onpointermove = null; };
}

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

function item(pane) {
  const li = make("li", pane.marked ? "marked" : "");
  li.dataset.id = pane.id;
  const view = make("div", "window");
  view.style.touchAction = "pan-y";  // a finger that moves up or down scrolls the page
  const image = make("img");
  image.src = pane.file.url;
  image.alt = pane.alt;
  image.draggable = false;
  view.append(image);
  view.addEventListener("pointerdown", drag);
  const save = make("a", "", "PNG");
  save.href = pane.file.url;
  save.download = pane.download;
  save.title = "Lossless, " + pane.download;
  save.setAttribute("aria-label", "Download " + pane.label + " as PNG");
  const name = make("p", "words");
  name.append(make("b", "", pane.label), make("span", "", pane.detail));
  const more = make("p", "words");
  more.append(make("span", "delta", pane.delta), save);
  li.append(view, name, more);
  return li;
}

// A picture that is there already stays, so that nothing flickers while others arrive.
function update() {
  section.hidden = panes().length === 0;
  const there = new Map([...list.children].map((li) => [li.dataset.key, li]));
  list.replaceChildren(...panes().map((pane) => {
    const key = JSON.stringify([pane.file.url, pane.label, pane.detail, pane.delta, pane.marked]);
    const li = there.get(key) || item(pane);
    li.dataset.key = key;
    return li;
  }));
  element.querySelector(".note").textContent = (props.value && props.value.note) || "";
  place();
}

for (const button of element.querySelectorAll("[data-zoom]")) {
  button.addEventListener("click", () => {
    zoom = Number(button.dataset.zoom);
    for (const other of element.querySelectorAll("[data-zoom]")) other.setAttribute("aria-pressed", String(other === button));
    place();
  });
}
across.addEventListener("input", place);
down.addEventListener("input", place);
new ResizeObserver(place).observe(list);

watch("value", update);
update();
