// The head of the page: its name, the two doors over the workbench, and the other places. Every place has an address; Back and Forward go
// between them. Gradio's own row of tabs, which the style sheet hides, does the changing; whoever else changes tabs is followed.
//
// The value: {name, bench: the id of the workbench's tab, doors: [{id, title}], places: [{id, title}]}, where ids of places are those of
// tabs. The document hears where somebody is as studio-place, with {place, rest: what follows the place in the address}, and says studio-go
// with an id to go elsewhere. Triggers `anatomy` and `sweep` where a picture was opened while one of these is in front.

import { find, make, targetOf } from "../elements.js";
import { watchConnection } from "./connection.js";

const bench = props.value.bench;
const doors = props.value.doors;
const places = props.value.places;
const list = find(".places");
const frame = find(".frame");
const opener = find(".opener");
const root = document.documentElement;
const HIDDEN_MS = 200;  // after which the place before is not on the page any more

find(".name").textContent = props.value.name;

/** @returns {HTMLElement | null} */
function tabOf(id) {
  return document.querySelector("#tabs > .tab-wrapper .tab-container:not(.visually-hidden) button[data-tab-id='" + id + "']");
}

function isDoor(id) {
  return doors.some((door) => door.id === id);
}

function button({ id, title }, kind) {
  const made = make("button", kind, title);
  made.type = "button";
  made.role = "tab";
  made.id = "place-" + id;
  made.dataset.id = id;
  return made;
}

const rule = make("span", "rule");
rule.setAttribute("aria-hidden", "true");
list.append(...doors.map((door) => button(door, "door")), rule, ...places.map((place) => button(place, "place")));
const buttons = /** @type {HTMLButtonElement[]} */ ([...list.querySelectorAll("button")]);

function here() {
  return root.dataset.place === bench ? root.dataset.door || "repair" : root.dataset.place;
}

function mark() {
  for (const one of buttons) {
    const selected = one.dataset.id === here();
    one.setAttribute("aria-selected", String(selected));
    one.tabIndex = selected ? 0 : -1;
  }
}

// ---------------------------------------------------------------- addresses

function addressOf(id) {
  const url = new URL(location.href);
  url.hash = isDoor(id) ? "" : id;
  if (isDoor(id)) url.searchParams.set("door", id);
  return url;
}

function placeInAddress() {
  const [first, ...rest] = location.hash.slice(1).split("/");
  if (places.some(({ id }) => id === first) && tabOf(first)) return { id: first, rest: rest.join("/") };
  return { id: new URL(location.href).searchParams.get("door") === "experiment" ? "experiment" : root.dataset.door || "repair", rest: "" };
}

// ---------------------------------------------------------------- going

function go(id, { push = true, rest = "" } = {}) {
  const tab = isDoor(id) ? bench : id;
  if (root.dataset.place !== tab) tabOf(tab)?.click();
  root.dataset.place = tab;
  if (isDoor(id)) document.dispatchEvent(new CustomEvent("studio-door", { detail: id }));
  if (push) history.pushState(null, "", addressOf(id));
  frame.classList.remove("open");
  opener.setAttribute("aria-expanded", "false");
  mark();
  document.dispatchEvent(new CustomEvent("studio-place", { detail: { place: id, rest } }));
}

list.addEventListener("click", (event) => {
  const chosen = targetOf(event).closest("button");
  if (chosen) go(chosen.dataset.id);
});
list.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (targetOf(event)));
  const next = buttons[(at + step + buttons.length) % buttons.length];
  next.focus();
  event.preventDefault();
});
opener.addEventListener("click", () => {
  opener.setAttribute("aria-expanded", String(frame.classList.toggle("open")));
});
window.addEventListener("popstate", () => {
  const { id, rest } = placeInAddress();
  go(id, { push: false, rest });
});
document.addEventListener("studio-door-shown", mark);
document.addEventListener("studio-go", (event) => go(/** @type {CustomEvent} */ (event).detail));

// Others change tabs as well: a lesson sets the studio up, a model is tried.
function follow() {
  const selected = document.querySelector("#tabs > .tab-wrapper button[aria-selected=true]");
  const tab = selected && /** @type {HTMLElement} */ (selected).dataset.tabId;
  if (!tab || tab === root.dataset.place) return;
  root.dataset.place = tab;
  history.pushState(null, "", addressOf(here()));
  mark();
  setTimeout(keepFocus, HIDDEN_MS);
}

// What had the focus may have gone with the place before.
function keepFocus() {
  const at = document.activeElement, lost = !at || at === document.body || !(/** @type {HTMLElement} */ (at).checkVisibility());
  if (lost) buttons.find((one) => one.dataset.id === here())?.focus({ preventScroll: true });
}

// What is about the photograph in Experiment begins anew when another one comes, as when its page is opened by its address.
document.addEventListener("studio-opened", () => {
  if (root.dataset.place === "anatomy") trigger("anatomy");
  if (root.dataset.place === "sweep") trigger("sweep");
});

function begin() {
  const row = document.querySelector("#tabs > .tab-wrapper");
  if (!row) {
    requestAnimationFrame(begin);
    return;
  }
  root.dataset.place = bench;
  new MutationObserver(follow).observe(row, { subtree: true, attributes: true, attributeFilter: ["aria-selected"] });
  const { id, rest } = placeInAddress();
  if (isDoor(id)) mark();
  else go(id, { push: false, rest });
}

begin();
watchConnection();

// ---------------------------------------------------------------- sliders

// A Gradio slider reports its release for the mouse only. Arrow keys and Enter in its number box count as well.
document.addEventListener("keyup", (event) => {
  if (targetOf(event).matches("input[type=range]") && /^(Arrow|Page|Home|End)/.test(event.key)) {
    event.target.dispatchEvent(new PointerEvent("pointerup", { bubbles: true }));
  }
});
document.addEventListener("keydown", (event) => {
  if (targetOf(event).matches("input[type=number]") && event.key === "Enter") targetOf(event).blur();
});
