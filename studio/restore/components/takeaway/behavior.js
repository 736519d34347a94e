// Asks the server for the result in another format, a zip, a page or a link, and hands over what comes back.
//
// "Keep date and camera" stands beside the main download, which asks by studio-take with a format where it is ticked.
//
// Triggers `take_picture` with {format, result, exif}, and `take_zip`, `take_page`, `take_share` and `take_link` with {exif, look}: whether camera facts are wanted, and what the Restore tab's viewer
// shows (see studio.session.link.look_of). The value is the answer: {answer: a new number, file: a served file or null, query: a query
// string or null, shared: the path of a shared page and until: when it ends, in seconds, words: what to say}; the first one has kept_seconds.

import { find, findAll, targetOf } from "../../../page/elements.js";

const buttons = findAll("button");
const words = find(".said");
/** @type {HTMLDetailsElement} */
const more = find(".more");
/** @type {HTMLInputElement} */
const address = find(".address");
let answered = 0;
let result = "";

function look() {
  /** @type {HTMLElement} */
  const viewer = document.querySelector("#viewer .viewer");
  try {
    return JSON.parse((viewer && viewer.dataset.look) || "{}");
  } catch {
    return {};
  }
}

// The box beside the main download, where the photograph has such facts.
function keepsExif() {
  return Boolean(document.querySelector("#verdict .keep:not([hidden]) input:checked"));
}

function setBusy(busy) {
  for (const button of buttons) button.setAttribute("aria-disabled", String(busy));
}

function ask(kind, format) {
  address.hidden = true;
  if (kind === "view") {
    copyView().then(() => say("Copied."), () => say("This browser does not let pages copy pictures."));
    return;
  }
  if (kind === "share") {
    document.dispatchEvent(new CustomEvent("studio-ask", { detail: { words: SHARING, yes: "Share", no: "Keep private", then: share } }));
    return;
  }
  setBusy(true);
  say(kind === "link" ? "" : "Packing");
  const request = { exif: keepsExif(), look: look() };
  if (format) trigger("take_picture", { format, result, exif: keepsExif() });
  else if (kind === "zip") trigger("take_zip", request);
  else if (kind === "page") trigger("take_page", request);
  else trigger("take_link", request);
}

const SHARING = "Share this comparison? Whoever has the address sees these pictures for " + Math.round(props.value.kept_seconds / 60)
  + " minutes, or until you delete your images or leave this page. It is listed nowhere.";

function share() {
  setBusy(true);
  say("Packing");
  trigger("take_share", { look: look() });
}

function say(sentence) {
  words.textContent = sentence;
}

function save(file) {
  const link = document.createElement("a");
  link.href = file.url;
  link.download = file.orig_name;
  document.body.append(link);
  link.click();
  link.remove();
}

// What the viewer shows now, with the names of its pictures.
async function copyView() {
  /** @type {HTMLCanvasElement} */
  const canvas = document.querySelector("#viewer canvas");
  const frame = canvas.getBoundingClientRect(), scale = canvas.width / frame.width;
  const sheet = new OffscreenCanvas(canvas.width, canvas.height), brush = sheet.getContext("2d");
  brush.drawImage(canvas, 0, 0);
  brush.font = 13 * scale + "px system-ui, sans-serif";
  brush.textBaseline = "middle";
  for (const name of document.querySelectorAll("#viewer .labels > span:not([hidden])")) {
    const box = name.getBoundingClientRect();
    const x = (box.left - frame.left) * scale, y = (box.top - frame.top) * scale;
    brush.fillStyle = "rgb(20 20 20 / 72%)";
    brush.fillRect(x, y, box.width * scale, box.height * scale);
    brush.fillStyle = "#fff";
    brush.fillText(name.textContent, x + 8 * scale, y + box.height * scale / 2, box.width * scale - 16 * scale);
  }
  const picture = sheet.convertToBlob({ type: "image/png" });
  await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]);
}

function settingsLink(query) {
  const url = new URL(location.href);
  url.search = query;
  url.hash = "";
  return url.href;
}

async function offer(link) {
  more.open = true;
  address.value = link;
  address.hidden = false;
  try {
    await navigator.clipboard.writeText(link);
    say(words.textContent + " Copied.");
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
  say(value.words || "");
  if (value.file) save(value.file);
  if (value.query) offer(settingsLink(value.query));
  if (!value.shared) return;
  say("Until " + new Date(1000 * value.until).toLocaleTimeString([], { timeStyle: "short" }) + ", or until you delete your images or leave.");
  offer(new URL(window.gradio_config.root + value.shared, location.href).href);
}

for (const button of buttons) {
  button.addEventListener("click", () => {
    if (button.getAttribute("aria-disabled") !== "true") ask(button.dataset.kind, button.dataset.format);
  });
}
document.addEventListener("studio-take", (event) => {
  if (buttons[0].getAttribute("aria-disabled") !== "true") ask("picture", /** @type {CustomEvent} */ (event).detail);
});
document.addEventListener("studio-verdict", (event) => {
  const verdict = /** @type {CustomEvent} */ (event).detail;
  result = verdict ? verdict.result : "";
});
document.addEventListener("click", (event) => {
  if (!element.contains(targetOf(event))) more.open = false;
});
element.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !more.open) return;
  more.open = false;
  find("summary").focus();
});
watch("value", update);
update();
