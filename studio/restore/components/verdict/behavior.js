// Which result to take, why, and the file itself. Every string goes through textContent.
//
// The value is what studio.restore.verdict.verdict_value returns. The document hears of it as studio-verdict, with null where there is none.

import { find } from "../../../page/elements.js";

const title = find(".title");
/** @type {HTMLAnchorElement} */
const download = find(".download");
const keep = find(".keep");
/** @type {HTMLInputElement} */
const keeps = find(".keep input");
const numbers = find(".numbers");
const addOriginal = find(".add-original");
let shown = "";
let result = "";
let own = false;
let hasOriginal = false;

function showFurther() {
  find(".further").hidden = download.hidden || document.documentElement.dataset.door === "experiment";
  addOriginal.hidden = !own || hasOriginal;
}

document.addEventListener("studio-original", (event) => {
  hasOriginal = Boolean(/** @type {CustomEvent} */ (event).detail);
  showFurther();
});
document.addEventListener("studio-opened", (event) => {
  own = /** @type {CustomEvent} */ (event).detail;
  showFurther();
});

function update() {
  const value = props.value || {};
  find(".verdict").className = "verdict " + (value.title ? value.tone : "");
  title.textContent = value.title || "";
  find(".words").textContent = value.words || "";
  download.hidden = !value.file;
  if (value.file) {
    download.textContent = value.label;
    download.href = value.file.url;
    download.download = value.download;
  }
  keep.hidden = !value.file || !value.camera;
  if (value.result !== result) keeps.checked = false;
  result = value.result;
  showFurther();
  document.dispatchEvent(new CustomEvent("studio-verdict", { detail: value.file ? value : null }));
  const now = value.title ? value.result + value.words : "";
  if (now && now !== shown && document.activeElement && document.activeElement.closest("#action")) title.focus();
  shown = now;
}

find(".compare").addEventListener("click", () => document.dispatchEvent(new CustomEvent("studio-go", { detail: "experiment" })));
download.addEventListener("click", (event) => {
  if (keep.hidden || !keeps.checked) return;  // the file that is there already says nothing of camera and date
  event.preventDefault();
  document.dispatchEvent(new CustomEvent("studio-take", { detail: "png" }));
});
addOriginal.addEventListener("click", () => document.dispatchEvent(new CustomEvent("studio-add-original")));
numbers.addEventListener("click", () => {
  const open = numbers.getAttribute("aria-expanded") !== "true";
  numbers.setAttribute("aria-expanded", String(open));
  document.getElementById("workbench").dataset.numbers = String(open);
});
document.addEventListener("studio-door-shown", showFurther);
watch("value", update);
update();
