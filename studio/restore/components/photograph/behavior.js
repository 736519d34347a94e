// Takes files by drop (anywhere on the page), paste or browsing, shows the browser's own view of one while its bytes travel untouched, and
// tells the server. What somebody brought is kept in this browser, so that a reload, a lost connection or a server that has forgotten it
// does not lose it.
//
// The first value: examples, each with name, title and file (a thumbnail), limit, how large a file may be, in words, accept, as the file
// input's attribute, and kept_seconds, for how long a picture is kept. Later ones answer: {answer: a new number, state: "open", "failed",
// "deleted" or "lost" (the server holds nothing any more), example: name of the one that is open, own: whether somebody brought the
// picture, words: what is wrong}. Triggers `opened` with {path, name}, for one that is brought back also with how often it is saved, and
// `example` with {name}. The document hears studio-opening with the name of a file that is on its way, or "", studio-opened with whether
// somebody brought the picture that is open, studio-back once one is brought back, and studio-unreachable when a file could not be sent;
// studio-choose opens the list of files. Whatever else replaces the picture dispatches studio-replace with a function, which is called once
// the picture may go. Several files are given to the queue as studio-files, which has them opened by studio-take-file, and hears
// studio-brought with a file that is open, studio-refused with {file, words}, and studio-deleted.

import { find, findAll, make } from "../../../page/elements.js";
import { forget, hold, held } from "./kept.js";
import { ConnectionLost, send } from "./sending.js";

const examples = props.value.examples;
const limit = props.value.limit;
const keptSeconds = props.value.kept_seconds;
const root = find(".photograph");
/** @type {HTMLInputElement} */
const chooser = find(".chooser");
const firstLine = find(".first");
const trouble = find(".trouble");
const news = find(".news");
const strip = find(".examples");
const touch = matchMedia("(pointer: coarse)");
const FORM_MS = 100;  // until Gradio has set the controls by the answer that also names the picture
let travelling = null;  // { file, abort, url, back }
let answered = 0;
let unsaved = false;  // results of an own picture that nobody has taken yet
let result = "";  // addresses of what is shown, and of what was taken last
let saved = "";
let own = "";
let setPage = () => {};
const pageIsSet = new Promise((resolve) => {
  setPage = () => setTimeout(resolve, FORM_MS);
});
let unsent = null;  // the file that was chosen when the connection was lost

function complain(sentence) {
  trouble.textContent = sentence;
  trouble.hidden = !sentence;
}

function press(name) {
  for (const button of findAll(".examples button")) button.setAttribute("aria-pressed", String(button.dataset.name === name));
}

function announce(name) {
  document.dispatchEvent(new CustomEvent("studio-opening", { detail: name }));
}

function showPreview(detail) {
  const viewer = document.querySelector("#viewer .viewer");
  if (viewer) viewer.dispatchEvent(new CustomEvent("studio-preview", { detail }));
}

function draw(words = "", share = null) {
  firstLine.textContent = words || "Open a photograph";
  find(".second").textContent = words ? "" : touch.matches ? "from the camera or the library" : "drop, paste or browse; it is left as it is";
  find(".travel").hidden = share === null;
  /** @type {HTMLProgressElement} */
  const bar = find("progress");
  bar.value = 100 * (share || 0);
}

// ---------------------------------------------------------------- one file

function end() {
  if (!travelling) return;
  URL.revokeObjectURL(travelling.url);
  travelling = null;
  draw();
  announce("");
  chooser.value = "";
}

function refuse(file, sentence) {
  complain(sentence);
  document.dispatchEvent(new CustomEvent("studio-refused", { detail: { file, words: sentence || "cancelled" } }));
}

async function preview(trip) {
  try {
    const picture = await createImageBitmap(trip.file);
    const { width, height } = picture;
    picture.close();
    if (travelling === trip) showPreview({ url: trip.url, label: "as brought", width, height });
  } catch {
    // formats that this browser cannot show come from the server
  }
}

// Does something that replaces the picture, once it may: an own one whose result is not saved is asked about.
function replacing(act, otherwise = () => {}) {
  if (!unsaved) {
    act();
    return;
  }
  const then = () => {
    unsaved = false;
    act();
  };
  const detail = { words: "Replace " + own + "? Its result is not saved.", yes: "Replace", no: "Keep", then, otherwise };
  document.dispatchEvent(new CustomEvent("studio-ask", { detail }));
}

function offer(file) {
  if (!file) return;
  replacing(() => take(file), () => {
    chooser.value = "";
  });
}

function refused(trip, problem) {
  const { file, again } = trip;
  const noConnection = problem instanceof ConnectionLost && !again, cancelled = problem instanceof Error && problem.name === "AbortError";
  end();
  showPreview(null);
  if (cancelled) refuse(file, "");
  else if (noConnection) {
    unsent = file;
    hold(file);
    complain("There is no connection. " + file.name + " is sent when it is back.");
    document.dispatchEvent(new CustomEvent("studio-unreachable"));
  } else {
    const words = problem instanceof Error ? problem.message : String(problem);
    refuse(file, file.name + " was not taken: " + words + " Files up to " + limit + " can be sent. Try again, or choose a smaller one.");
  }
}

async function take(file, { back = false, again = false } = {}) {
  if (!file) return;
  if (travelling) travelling.abort.abort();
  const trip = { file, abort: new AbortController(), url: URL.createObjectURL(file), back, again };
  travelling = trip;
  unsent = null;
  complain("");
  news.textContent = "";
  announce(file.name);
  draw("Sending " + file.name, 0);
  preview(trip);
  try {
    const path = await send(file, trip.abort.signal, (share) => {
      if (travelling === trip) draw("Sending " + file.name + ", " + Math.round(100 * share) + " %", share);
    });
    if (travelling !== trip) return;
    if (back) await pageIsSet;  // else the handler would take the form as it is before its link is read
    draw("Opening " + file.name);
    press("");
    trigger("opened", back ? { path, name: file.name, saves: new URL(location.href).searchParams.get("saves") } : { path, name: file.name });
  } catch (problem) {
    if (travelling === trip) refused(trip, problem);
  }
}

// Several files become a queue in Repair; an experiment has one picture.
function takeAll(files) {
  if (files.length > 1 && document.documentElement.dataset.door !== "experiment") {
    replacing(() => document.dispatchEvent(new CustomEvent("studio-files", { detail: files })));
    return;
  }
  offer(files[0]);
  if (files.length > 1) complain("One file is opened at a time here: " + files[0].name + " of " + files.length + ". Repair takes several.");
}

// ---------------------------------------------------------------- drop, paste, browse

function carries(event, type) {
  return event.dataTransfer && [...event.dataTransfer.types].includes(type);
}

function carriesFiles(event) {
  return carries(event, "Files");
}

// A link, or a picture of another page by its address: dropped anywhere but into a field, it would replace the studio.
function carriesAddress(event) {
  return carries(event, "text/uri-list") && !carriesFiles(event)
    && !(event.target instanceof Element && event.target.closest("input, textarea, [contenteditable]"));
}

const ADDRESS = "Links cannot be opened here. Save the picture, then drop the file.";

function dragOver(event) {
  if (carriesAddress(event)) event.preventDefault();
  if (!carriesFiles(event)) return;
  event.preventDefault();
  root.classList.add("dragging");
}

function drop(event) {
  if (carriesAddress(event)) {
    event.preventDefault();
    complain(ADDRESS);
  }
  if (!carriesFiles(event)) return;
  event.preventDefault();
  root.classList.remove("dragging");
  takeAll([...event.dataTransfer.files]);
}

function paste(event) {
  if (/^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName) || !event.clipboardData) return;
  const files = [...event.clipboardData.files];
  if (files.length) {
    event.preventDefault();
    takeAll(files);
  } else if (/^https?:/.test(event.clipboardData.getData("text"))) complain(ADDRESS);
}

chooser.accept = props.value.accept;
find(".drop").addEventListener("click", () => chooser.click());
document.addEventListener("studio-take-file", (event) => take(/** @type {CustomEvent} */ (event).detail));
document.addEventListener("studio-replace", (event) => replacing(/** @type {CustomEvent} */ (event).detail));
document.addEventListener("studio-choose", () => chooser.click());
find(".cancel").addEventListener("click", () => {
  if (travelling) travelling.abort.abort();
});
chooser.addEventListener("change", () => takeAll([...chooser.files]));
document.addEventListener("dragover", dragOver);
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) root.classList.remove("dragging");
});
document.addEventListener("drop", drop);
document.addEventListener("paste", paste);
document.addEventListener("studio-verdict", (event) => {
  const verdict = /** @type {CustomEvent} */ (event).detail;
  result = verdict ? verdict.file.url : "";
  unsaved = Boolean(own && result && result !== saved);
});
document.addEventListener("click", (event) => {
  if (event.target instanceof Element && event.target.closest("#looking a[download], #action a[download], #takeaway button")) {
    saved = result;
    unsaved = false;
  }
});

// ---------------------------------------------------------------- examples

function exampleButton(example) {
  const button = make("button");
  const picture = make("img");
  button.type = "button";
  button.dataset.name = example.name;
  button.title = example.title;
  picture.src = example.file.url;
  picture.alt = example.title;
  picture.width = picture.height = 96;
  button.append(picture);
  button.addEventListener("click", () => replacing(() => {
    if (travelling) travelling.abort.abort();
    forgetIt();
    complain("");
    news.textContent = "";
    press(example.name);
    trigger("example", { name: example.name });
  }));
  return button;
}

strip.replaceChildren(...examples.map(exampleButton));

// ---------------------------------------------------------------- what the server answers

async function keep(file) {
  const kept = await hold(file);
  if (kept !== null && own) document.documentElement.dataset.kept = file.name;
}

function forgetIt() {
  delete document.documentElement.dataset.kept;
  forget();
}

function opened(value) {
  own = value.own ? value.name : "";
  unsaved = false;
  document.dispatchEvent(new CustomEvent("studio-opened", { detail: Boolean(own) }));
  press(value.example || "");
  if (!value.own || !travelling) return;
  if (travelling.back) news.textContent = "Brought back: " + travelling.file.name;
  const { file, back } = travelling;
  keep(file);
  end();
  document.dispatchEvent(new CustomEvent("studio-brought", { detail: file }));
  if (back) document.dispatchEvent(new CustomEvent("studio-back"));
}

function failed(value) {
  const file = travelling ? travelling.file : null;
  if (travelling && travelling.back) forget();
  end();
  showPreview(null);
  refuse(file, (file ? file.name : "The file") + ": " + value.words);
}

function update() {
  const value = props.value || {};
  if (!value.answer || value.answer === answered) return;
  answered = value.answer;
  setPage();
  if (value.state === "open") opened(value);
  else if (value.state === "failed") failed(value);
  else if (value.state === "lost") openAgain();
  else {
    own = "";
    unsaved = false;
    document.dispatchEvent(new CustomEvent("studio-opened", { detail: false }));
    document.dispatchEvent(new CustomEvent("studio-deleted"));
    forgetIt();
  }
}

// A page that is opened anew, by hand or because its connection was lost, has its picture back; so has one that the server has forgotten.
async function bringBack() {
  const file = await held(keptSeconds);
  if (file && !new URL(location.href).searchParams.has("picture")) take(file, { back: true });
  else forgetIt();
}

function openAgain() {
  const chosen = strip.querySelector("button[aria-pressed=true]");
  if (chosen instanceof HTMLElement) trigger("example", { name: chosen.dataset.name });
  else bringBack();
}

document.addEventListener("studio-connection", (event) => {
  const file = unsent;
  if (/** @type {CustomEvent} */ (event).detail || !file) return;
  unsent = null;
  take(file, { again: true });
});
watch("value", update);
draw();
bringBack();
