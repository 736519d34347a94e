// Asks the server for a zip, a page or a link, and hands over what comes back.
//
// Triggers `take_zip`, `take_page` and `take_link` with {exif, look}: whether camera facts are wanted, and what the Restore tab's viewer
// shows (see studio.session.link.look_of). The value is the answer: {answer: a new number, file: a served file or null, query: a query
// string or null, words: what to say}.

import { find, findAll } from "../../../page/elements.js";

/** @type {HTMLButtonElement[]} */
const buttons = findAll("button");
const words = find(".said");
/** @type {HTMLInputElement} */
const address = find(".address");
/** @type {HTMLInputElement} */
const exif = find("input[type=checkbox]");
let answered = 0;

function look() {
  /** @type {HTMLElement} */
  const viewer = document.querySelector("#viewer .viewer");
  try {
    return JSON.parse((viewer && viewer.dataset.look) || "{}");
  } catch {
    return {};
  }
}

function setBusy(busy) {
  for (const button of buttons) button.disabled = busy;
}

function ask(kind) {
  setBusy(true);
  words.textContent = kind === "link" ? "" : "packing";
  address.hidden = true;
  const request = { exif: exif.checked, look: look() };
  if (kind === "zip") trigger("take_zip", request);
  else if (kind === "page") trigger("take_page", request);
  else trigger("take_link", request);
}

function save(file) {
  const link = document.createElement("a");
  link.href = file.url;
  link.download = file.orig_name;
  document.body.append(link);
  link.click();
  link.remove();
}

async function offer(query) {
  const url = new URL(location.href);
  url.search = query;
  url.hash = "";
  address.value = url.href;
  address.hidden = false;
  try {
    await navigator.clipboard.writeText(url.href);
    words.textContent = words.textContent + " Copied.";
  } catch {
    address.focus();
    address.select();
  }
}

function update() {
  const value = props.value || {};
  if (!value.answer || value.answer === answered) return;
  answered = value.answer;
  setBusy(false);
  words.textContent = value.words || "";
  if (value.file) save(value.file);
  if (value.query) offer(value.query);
}

for (const button of buttons) button.addEventListener("click", () => ask(button.dataset.kind));
watch("value", update);
update();
