// The step at hand of a lesson, in whatever tab it is done. It appears with the event `studio-lesson` of the lessons' component, and hides
// while the lessons themselves are shown. On the workbench it lies under the viewer, elsewhere and on phones at the bottom of the window.
//
// The value is empty. Triggers `back`: to the lesson's page.

import { find } from "../../../page/elements.js";
import { tick, ticksOf } from "../progress.js";
import { explainTerms } from "../terms.js";
import { plant } from "../tree.js";

const guide = find(".guide");
/** @type {HTMLButtonElement} */
const previousButton = find(".previous");
let lesson = null;
let terms = {};
let step = 0;  // the number of steps shows what to find out
let watching = null;  // whether the Lessons tab is on the screen

function lessonsTab() {
  return document.getElementById("lessons-tabs");
}

function isReading() {
  const tab = lessonsTab();
  return Boolean(tab && tab.offsetParent);
}

/** @type {HTMLElement} */
const block = element.closest("#lesson-guide");
const home = block.parentElement;
const phone = matchMedia("(max-width: 760px)");

function dock() {
  const onBench = document.documentElement.dataset.place === "restore";
  const viewer = onBench && !phone.matches ? document.getElementById("viewer") : null;
  /** @type {HTMLElement} */
  const bar = document.querySelector("#workbench .run-bar");
  guide.style.bottom = onBench && phone.matches && bar ? bar.offsetHeight + "px" : "";  // what is to be pressed stays in sight
  guide.classList.toggle("docked", Boolean(viewer));
  if (viewer && viewer.nextElementSibling !== block) viewer.after(block);
  else if (!viewer && block.parentElement !== home) home.append(block);
}

// What lies under the guide can be scrolled out from under it.
function makeRoom() {
  /** @type {HTMLElement} */
  const main = document.querySelector(".gradio-container");
  main.style.paddingBottom = guide.hidden || guide.classList.contains("docked") ? "" : guide.offsetHeight + 24 + "px";
}

// Whoever reads this has done it.
function leaveOutSetUp(words) {
  const first = document.createTreeWalker(words, NodeFilter.SHOW_TEXT).nextNode();
  if (first) first.textContent = first.textContent.replace(/^\s*Set the studio up\.\s*/, "");
}

function drawStep() {
  const isLast = step === lesson.steps.length;
  const words = find(".words");
  const shown = lesson.id + " " + step;
  find(".title").textContent = lesson.title;
  find(".count").textContent = isLast ? "all steps" : "step " + (step + 1) + " of " + lesson.steps.length;
  if (words.dataset.step !== shown) {
    plant(words, isLast ? lesson.question : lesson.steps[step]);
    if (step === 0) leaveOutSetUp(words);
  }
  words.dataset.step = shown;
  previousButton.disabled = step === 0;
  find(".next").textContent = isLast ? "To the answer" : "Done";
}

function draw() {
  guide.hidden = !lesson || isReading();
  if (lesson) {
    dock();
    drawStep();
  }
  makeRoom();
}

function start(next) {
  lesson = next.lesson;
  terms = next.terms;
  const open = ticksOf(lesson).indexOf(false);
  step = open <= 1 ? 0 : open;  // the first one is done by setting the studio up; what it says of the picture is read still
  const tab = lessonsTab();
  if (!watching && tab) {
    watching = new ResizeObserver(draw);
    watching.observe(tab);
  }
  draw();
}

function goBack() {
  trigger("back", {});
}

function goOn() {
  if (step === lesson.steps.length) {
    goBack();
    return;
  }
  tick(lesson, step, true);
  step += 1;
  draw();
}

previousButton.addEventListener("click", () => {
  step -= 1;
  draw();
});
find(".next").addEventListener("click", goOn);
find(".to-lesson").addEventListener("click", goBack);
find(".close").addEventListener("click", () => {
  lesson = null;
  draw();
});
document.addEventListener("studio-lesson", (event) => start(/** @type {CustomEvent} */ (event).detail));
window.addEventListener("resize", draw);
new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-place"] });
explainTerms(guide, () => terms);
