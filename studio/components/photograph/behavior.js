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

const hasFiles = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");

element.querySelector(".drop").addEventListener("click", () => chooser.click());
chooser.addEventListener("change", () => take(chooser.files[0]));
document.addEventListener("dragover", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  root.classList.add("dragging");
});
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) root.classList.remove("dragging"); });
document.addEventListener("drop", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  root.classList.remove("dragging");
  take(event.dataTransfer.files[0]);
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
