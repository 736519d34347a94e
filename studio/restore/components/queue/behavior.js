// Several photographs, one after the other: each is opened and repaired as a single one is, and all results come in one zip.
//
// The first value: {most: files of a queue}. Later ones answer: {answer: a new number, state: "begun", "kept" with number and words,
// "packed" with a file and words, or "failed" with words}. Triggers `begun`, `kept` with {number, result} and `packed`. How files are opened and runs
// begin stands at the head of the photograph's and the action's behavior.

import { find, make } from "../../../page/elements.js";

const most = props.value.most;
const root = find(".queue");
const list = find(".items");
const go = find(".go");
const zip = find(".zip");
const RUN_ENDS_MS = 1500;  // after which a run that ended without a verdict has none
let items = [];  // { file, state, words, line }
let current = -1;  // the one that is open
let keeping = -1;
let running = false;
let answered = 0;

const WORDS = { waiting: "waiting", opening: "opening", open: "open", repairing: "repairing", done: "repaired" };

function count(state) {
  return items.filter((item) => item.state === state).length;
}

function drawItem(item, number) {
  item.line.dataset.state = item.state;
  item.line.querySelector(".state").textContent = item.words || WORDS[item.state] || item.state;
  const button = item.line.firstElementChild;
  button.setAttribute("aria-current", String(number === current));
  button.setAttribute("aria-disabled", String(running || item.state === "refused"));
}

function draw() {
  root.hidden = items.length === 0;
  items.forEach(drawItem);
  const done = count("done"), left = count("waiting") + count("open") + count("opening") + count("repairing");
  const at = running && current >= 0 ? current + 1 + " of " + items.length + ", " : "";
  find(".count").textContent = at + done + " of " + items.length + " repaired";
  go.textContent = running ? "Stop after this one" : done ? "Go on with " + left : "Repair all " + items.length;
  go.hidden = left === 0;
  go.classList.toggle("first", !running);
  zip.hidden = done === 0;
  zip.classList.toggle("first", left === 0);
}

function say(sentence) {
  find(".said").textContent = sentence;
}

// ---------------------------------------------------------------- the list

async function drawPicture(canvas, file) {
  try {
    const picture = await createImageBitmap(file, { resizeWidth: 80, resizeQuality: "medium" });
    const side = Math.min(picture.width, picture.height);
    canvas.getContext("2d").drawImage(picture, (picture.width - side) / 2, (picture.height - side) / 2, side, side, 0, 0, 80, 80);
    picture.close();
  } catch {
    // formats that this browser cannot show have a gray square
  }
}

function lineOf(file, number) {
  const line = make("li"), button = make("button"), canvas = make("canvas");
  button.type = "button";
  button.title = "Look at " + file.name;
  canvas.width = canvas.height = 80;
  button.append(canvas, make("span", "name", file.name), make("span", "state"));
  button.addEventListener("click", () => {
    if (button.getAttribute("aria-disabled") !== "true" && number !== current) open(number);
  });
  line.append(button);
  return line;
}

async function begin(files) {
  const taken = files.slice(0, most);
  running = false;
  current = keeping = -1;
  items = taken.map((file, number) => ({ file, state: "waiting", words: "", line: lineOf(file, number) }));
  list.replaceChildren(...items.map((item) => item.line));
  say(files.length > most ? "A queue takes " + most + " files. Not in it: " + files.slice(most).map((file) => file.name).join(", ") + "." : "");
  trigger("begun");
  open(0);
  for (const item of [...items]) await drawPicture(item.line.querySelector("canvas"), item.file);
}

function close() {
  items = [];
  running = false;
  current = keeping = -1;
  list.replaceChildren();
  draw();
}

// ---------------------------------------------------------------- one after the other

function open(number) {
  const item = items[number];
  item.again = item.state === "done";  // its result is shown again
  if (!item.again) item.state = "opening";
  item.words = item.again ? item.words : "";
  draw();
  document.dispatchEvent(new CustomEvent("studio-take-file", { detail: item.file }));
}

function repair() {
  items[current].state = "repairing";
  draw();
  document.dispatchEvent(new CustomEvent("studio-run"));
}

function next() {
  const number = items.findIndex((item) => item.state === "waiting");
  if (!running || number < 0) running = false;
  else open(number);
  draw();
}

function settle(number, state, words) {
  Object.assign(items[number], { state, words });
  draw();
  if (running) next();
}

document.addEventListener("studio-files", (event) => begin(/** @type {CustomEvent} */ (event).detail));
document.addEventListener("studio-deleted", close);
document.addEventListener("studio-brought", (event) => {
  for (const item of items) if (item.state === "opening" || item.state === "open") item.state = "waiting";
  current = items.findIndex((item) => item.file === /** @type {CustomEvent} */ (event).detail);
  if (current < 0) running = false;  // somebody opened another one
  else if (running || items[current].again) {
    repair();
    return;
  } else items[current].state = "open";
  draw();
});
document.addEventListener("studio-opened", (event) => {
  if (/** @type {CustomEvent} */ (event).detail) return;
  current = -1;  // an example
  running = false;
  draw();
});
document.addEventListener("studio-refused", (event) => {
  const { file, words } = /** @type {CustomEvent} */ (event).detail;
  const number = items.findIndex((item) => item.file === file);
  if (number >= 0 && words === "cancelled") {
    running = false;
    settle(number, "waiting", "");
  } else if (number >= 0) settle(number, "refused", words.replace(file.name + ": ", ""));
});
document.addEventListener("studio-verdict", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  if (!detail || current < 0 || keeping === current) return;
  keeping = current;
  trigger("kept", { number: current, result: detail.result });
});
document.addEventListener("studio-action", (event) => {
  const { state, before } = /** @type {CustomEvent} */ (event).detail;
  const number = current;
  if (number < 0) return;
  if (state === "running") {
    items[number].state = "repairing";
    keeping = -1;
    draw();
  }
  if (before === "stopping" && state === "idle" && items[number].state === "repairing") {
    running = false;  // somebody pressed Stop
    items[number].state = "open";
    draw();
  }
  if (state !== "idle" || before === "idle") return;
  setTimeout(() => {
    const item = items[number];
    if (item && item.state === "repairing" && keeping !== number && number === current) settle(number, "failed", "not repaired");
  }, RUN_ENDS_MS);
});

go.addEventListener("click", () => {
  if (running) {
    running = false;
    draw();
    return;
  }
  say("");
  running = true;
  if (current >= 0 && items[current].state === "open") repair();
  else next();
});
zip.addEventListener("click", () => {
  if (zip.getAttribute("aria-disabled") === "true") return;
  zip.setAttribute("aria-disabled", "true");
  say("Packing");
  trigger("packed");
});
find(".close").addEventListener("click", close);

// ---------------------------------------------------------------- what the server answers

function save(file) {
  const link = make("a");
  link.href = file.url;
  link.download = file.orig_name;
  document.body.append(link);
  link.click();
  link.remove();
}

function update() {
  const value = props.value || {};
  if (!value.answer || value.answer === answered) return;
  answered = value.answer;
  if (value.state === "kept" && items[value.number]) settle(value.number, "done", "repaired by " + value.words);
  if (value.state === "packed") save(value.file);
  if (value.state === "packed" || value.state === "failed") {
    zip.setAttribute("aria-disabled", "false");
    say(value.words);
    if (keeping >= 0 && value.state === "failed" && items[keeping] && items[keeping].state === "repairing") settle(keeping, "failed", value.words);
  }
}

watch("value", update);
draw();
