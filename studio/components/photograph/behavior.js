// Takes one file by drop (anywhere on the page), paste or browsing, uploads its bytes untouched, and tells the server.

const root = element.querySelector(".photograph");
const chooser = element.querySelector(".chooser");
const first = element.querySelector(".first");
const trouble = element.querySelector(".trouble");
const strip = element.querySelector(".examples");
const invitation = [...first.childNodes];

function complain(sentence) { trouble.textContent = sentence; trouble.hidden = !sentence; }

function press(name) {
  strip.querySelectorAll("button").forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.name === name)));
}

async function take(file) {
  if (!file || root.classList.contains("busy")) return;
  complain("");
  root.classList.add("busy");
  first.textContent = "Uploading " + file.name;
  try {
    const { path } = await upload(file);
    press("");
    trigger("opened", { path, name: file.name });
  } catch (error) {
    console.warn("upload refused", error);
    complain("The upload of " + file.name + " was refused. Files up to " + props.value.limit + " are taken. Choose a smaller one, or try again.");
  } finally {
    root.classList.remove("busy");
    first.replaceChildren(...invitation);
    chooser.value = "";
  }
}

const carries = (event, type) => event.dataTransfer && [...event.dataTransfer.types].includes(type);
const hasFiles = (event) => carries(event, "Files");
// A link, or a picture of another page by its address: dropped anywhere but into a field, it would replace the studio.
const hasAddress = (event) => carries(event, "text/uri-list") && !hasFiles(event)
  && !(event.target instanceof Element && event.target.closest("input, textarea, [contenteditable]"));

async function takeFirst(files) {
  await take(files[0]);
  if (files.length > 1 && trouble.hidden) complain("One file is opened at a time: " + files[0].name + " of " + files.length + ".");
}

chooser.accept = props.value.accept;
element.querySelector(".drop").addEventListener("click", () => chooser.click());
chooser.addEventListener("change", () => takeFirst([...chooser.files]));
document.addEventListener("dragover", (event) => {
  if (hasAddress(event)) event.preventDefault();
  if (!hasFiles(event)) return;
  event.preventDefault();
  root.classList.add("dragging");
});
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) root.classList.remove("dragging"); });
document.addEventListener("drop", (event) => {
  if (hasAddress(event)) {
    event.preventDefault();
    complain("That was an address, not a file. Files from this computer are opened. Save the picture first, then drop its file.");
  }
  if (!hasFiles(event)) return;
  event.preventDefault();
  root.classList.remove("dragging");
  takeFirst([...event.dataTransfer.files]);
});
document.addEventListener("paste", (event) => {
  const file = [...(event.clipboardData ? event.clipboardData.files : [])][0];
  if (!file || /^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)) return;
  event.preventDefault();
  take(file);
});

function build() {
  const examples = (props.value && props.value.examples) || [];
  strip.replaceChildren(...examples.map((one) => {
    const button = document.createElement("button");
    const picture = document.createElement("img");
    button.type = "button";
    button.dataset.name = one.name;
    button.title = one.title;
    picture.src = one.file.url;
    picture.alt = one.title;
    button.append(picture);
    button.addEventListener("click", () => { complain(""); press(one.name); trigger("example", { name: one.name }); });
    return button;
  }));
}

watch("value", build);
build();
