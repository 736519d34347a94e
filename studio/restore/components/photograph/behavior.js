// Takes one file by drop (anywhere on the page), paste or browsing, uploads its bytes untouched, and tells the server.
//
// The value: examples, each with name, title and file (a thumbnail), limit, how large a file may be, in words, and accept, as the file
// input's attribute. Triggers `opened` with {path, name}, and `example` with {name}.

import { find, findAll, make } from "../../../page/elements.js";

const root = find(".photograph");
/** @type {HTMLInputElement} */
const chooser = find(".chooser");
const firstLine = find(".first");
const trouble = find(".trouble");
const strip = find(".examples");
const invitation = [...firstLine.childNodes];

function complain(sentence) {
  trouble.textContent = sentence;
  trouble.hidden = !sentence;
}

function press(name) {
  for (const button of findAll(".examples button")) button.setAttribute("aria-pressed", String(button.dataset.name === name));
}

async function take(file) {
  if (!file || root.classList.contains("busy")) return;
  complain("");
  root.classList.add("busy");
  firstLine.textContent = "Uploading " + file.name;
  try {
    const { path } = await upload(file);
    press("");
    trigger("opened", { path, name: file.name });
  } catch (error) {
    console.warn("upload refused", error);
    complain("The upload of " + file.name + " was refused. Files up to " + props.value.limit + " are taken. Choose a smaller one, or try again.");
  } finally {
    root.classList.remove("busy");
    firstLine.replaceChildren(...invitation);
    chooser.value = "";
  }
}

async function takeFirst(files) {
  await take(files[0]);
  if (files.length > 1 && trouble.hidden) complain("One file is opened at a time: " + files[0].name + " of " + files.length + ".");
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

function dragOver(event) {
  if (carriesAddress(event)) event.preventDefault();
  if (!carriesFiles(event)) return;
  event.preventDefault();
  root.classList.add("dragging");
}

function drop(event) {
  if (carriesAddress(event)) {
    event.preventDefault();
    complain("That was an address, not a file. Files from this computer are opened. Save the picture first, then drop its file.");
  }
  if (!carriesFiles(event)) return;
  event.preventDefault();
  root.classList.remove("dragging");
  takeFirst([...event.dataTransfer.files]);
}

function paste(event) {
  const file = [...(event.clipboardData ? event.clipboardData.files : [])][0];
  if (!file || /^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)) return;
  event.preventDefault();
  take(file);
}

chooser.accept = props.value.accept;
find(".drop").addEventListener("click", () => chooser.click());
chooser.addEventListener("change", () => takeFirst([...chooser.files]));
document.addEventListener("dragover", dragOver);
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) root.classList.remove("dragging");
});
document.addEventListener("drop", drop);
document.addEventListener("paste", paste);

// ---------------------------------------------------------------- examples

function exampleButton(example) {
  const button = make("button");
  const picture = make("img");
  button.type = "button";
  button.dataset.name = example.name;
  button.title = example.title;
  picture.src = example.file.url;
  picture.alt = example.title;
  button.append(picture);
  button.addEventListener("click", () => {
    complain("");
    press(example.name);
    trigger("example", { name: example.name });
  });
  return button;
}

function update() {
  const examples = (props.value && props.value.examples) || [];
  strip.replaceChildren(...examples.map(exampleButton));
}

watch("value", update);
update();
