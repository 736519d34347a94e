// The next thing to do with the picture: repair it, stop, and on a phone take the result. Nothing here is ever disabled, so that the focus
// stays; what cannot be pressed says so by aria-disabled.
//
// The value: {state: "idle", "running" or "stopping", share: 0..1 of a run, left: how long it will take, about: how long it would take,
// models: how many are asked for, stopped: how much of them is done, 0..1, said: for screen readers}. Words that are missing stay as they
// were. Triggers `run` with {in_sight: the part of the picture on the screen, see the viewer} and `stop`.
// The queue presses by studio-run, and hears studio-action with {state, before}.

import { find, targetOf } from "../../../page/elements.js";

const root = find(".action");
const main = find("#restore-button");
const label = find(".doing");
const stop = find("#stop-button");
/** @type {HTMLAnchorElement} */
const take = find(".take");
const share = find(".share");
const choose = find(".choose");
const phone = matchMedia("(max-width: 760px)");
const viewer = "#viewer section.viewer";
let known = { state: "idle", about: "", models: 0, share: 0, stopped: 0, left: "", said: "" };
let opening = "";
let verdict = null;
let asked = false;  // the queue waits for the run before to end
let own = false;  // somebody brought the picture that is open
let lost = false;  // the connection
let waiting = false;  // a press, for the connection
let pressed = false;  // and neither stopped nor answered by a result yet
let again = false;  // to be pressed once the example's run has ended
const AGAIN = "studio-again";  // in the session's store: whether to run once the picture is brought back after the connection was lost

function isRepair() {
  return document.documentElement.dataset.door !== "experiment";
}

function idleWords() {
  if (waiting) return "Waits for the connection";
  if (known.stopped) return "Go on · stopped at " + Math.round(100 * known.stopped) + " %";
  const count = known.models > 1 ? known.models + " models" : "";
  const words = isRepair() ? (verdict ? "Repair again" : "Repair") : "Run";
  return [words, [isRepair() ? "" : count, known.about].filter(Boolean).join(", ")].filter(Boolean).join(" · ");
}

function runningWords() {
  if (known.state === "stopping") return "Stopping";
  const percent = known.share > 0 ? Math.round(100 * known.share) + " %" : "";
  return [percent || (isRepair() ? "Repairing" : "Running"), known.left].filter(Boolean).join(", ");
}

// What had the focus and is not there any more gives it to what stands in its place.
function draw() {
  const at = document.activeElement, held = at === stop || at === main || at === take;
  drawButtons();
  if (!held) return;
  const next = [main, take, choose].find((button) => !button.hidden);
  if (/** @type {HTMLElement} */ (at).hidden || (at === stop && known.state === "idle")) next?.focus();
}

function drawButtons() {
  const busy = known.state !== "idle";
  root.dataset.state = known.state;
  label.textContent = busy ? runningWords() : idleWords();
  find(".fill").style.width = (busy ? 100 * known.share : 0) + "%";
  main.setAttribute("aria-disabled", String(busy || waiting || Boolean(opening)));
  main.title = opening ? "When " + opening + " is open" : "";
  stop.setAttribute("aria-disabled", String(known.state !== "running"));
  const onPhone = phone.matches && isRepair(), done = onPhone && !busy && !opening && Boolean(verdict) && own;
  const first = onPhone && !busy && !opening && !own;
  choose.hidden = !onPhone || busy || Boolean(opening);
  choose.classList.toggle("first", first);
  choose.textContent = first ? "Choose a photograph" : "Change";
  main.hidden = done || first;
  take.hidden = !done;
  share.hidden = !(done && "share" in navigator);
  if (!done) return;
  take.textContent = verdict.label;
  take.href = verdict.file.url;
  take.download = verdict.download;
}

function runAgain() {
  if (!again || isOff(main)) return;
  again = false;
  press();
}

function end() {
  pressed = false;
  props.value = { ...props.value, state: "stopping" };  // the run itself says when it has ended
  update();
  main.focus();
  trigger("stop");
}

function isOff(button) {
  return button.getAttribute("aria-disabled") === "true";
}

async function shareIt() {
  const reply = await fetch(verdict.file.url);
  const file = new File([await reply.blob()], verdict.download, { type: "image/png" });
  if (navigator.canShare({ files: [file] })) await navigator.share({ files: [file] });
}

function press() {
  if (isOff(main)) return;
  asked = false;
  pressed = true;
  props.value = { ...props.value, state: "running" };  // so that any answer is a change
  update();
  const seen = /** @type {HTMLElement | null} */ (document.querySelector(viewer));
  if (isRepair()) seen?.dispatchEvent(new CustomEvent("studio-closer"));
  requestAnimationFrame(() => trigger("run", { in_sight: JSON.parse(seen?.dataset.sight || "null") }));
}

// Presses now, or once the connection is back.
function pressOrWait() {
  if (!lost) {
    press();
    return;
  }
  waiting = true;
  sessionStorage.setItem(AGAIN, "yes");
  draw();
}

main.addEventListener("click", () => {
  if (!isOff(main)) pressOrWait();
});
document.addEventListener("studio-run", () => {
  asked = true;
  if (known.state === "idle") pressOrWait();
});
stop.addEventListener("click", () => {
  if (!isOff(stop)) end();
});
take.addEventListener("click", (event) => {
  if (!document.querySelector("#verdict .keep:not([hidden]) input:checked")) return;
  event.preventDefault();
  document.dispatchEvent(new CustomEvent("studio-take", { detail: "png" }));
});
choose.addEventListener("click", () => document.dispatchEvent(new CustomEvent("studio-choose")));
share.addEventListener("click", () => shareIt().catch((problem) => console.warn("not shared", problem)));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !targetOf(event).closest("#viewer") && !isOff(stop)) end();
});
document.addEventListener("studio-opening", (event) => {
  opening = /** @type {CustomEvent} */ (event).detail;
  if (opening) verdict = null;
  draw();
});
document.addEventListener("studio-opened", (event) => {
  own = /** @type {CustomEvent} */ (event).detail;
  draw();
});
document.addEventListener("studio-connection", (event) => {
  lost = /** @type {CustomEvent} */ (event).detail;
  const missed = waiting;
  waiting = false;
  if (!lost) sessionStorage.removeItem(AGAIN);
  else if (own && (pressed || verdict)) sessionStorage.setItem(AGAIN, "yes");
  draw();
  if (!lost && missed) press();
});
document.addEventListener("studio-back", () => {
  again = pressed || Boolean(sessionStorage.getItem(AGAIN));
  sessionStorage.removeItem(AGAIN);
  runAgain();
});
document.addEventListener("studio-verdict", (event) => {
  verdict = /** @type {CustomEvent} */ (event).detail;
  if (verdict) pressed = false;
  draw();
});
document.addEventListener("studio-door-shown", draw);
phone.addEventListener("change", draw);

function saidWords() {
  if (known.state === "running") return known.said || (isRepair() ? "Repairing" : "Running");
  return known.stopped ? "Stopped at " + Math.round(100 * known.stopped) + " %. Go on keeps what is done." : "";
}

function update() {
  const before = known.state;
  known = { ...known, share: 0, left: "", said: "", ...(props.value || {}) };
  const said = find(".said"), words = saidWords();
  if (words && said.textContent !== words) said.textContent = words;
  draw();
  if (known.state !== before) document.dispatchEvent(new CustomEvent("studio-action", { detail: { state: known.state, before } }));
  if (asked && known.state === "idle") press();
  if (again) setTimeout(runAgain);
}

watch("value", update);
update();
