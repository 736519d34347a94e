// The step at hand of a lesson, beside whatever tab it is done in. It appears with the event `studio-lesson` of the lessons' component,
// and hides while the lessons themselves are shown.
//
// The value is empty. Triggers `back`: to the lesson's page.

import { tick, ticksOf } from "../progress.js";
import { explainTerms } from "../terms.js";
import { plant } from "../tree.js";

const find = (selector) => element.querySelector(selector);
const guide = find(".guide");
let lesson = null, terms = {}, at = 0;  // at === steps.length shows what to find out
let watching = null;  // whether the Lessons tab is on the screen

function isReading() {
  const tab = document.getElementById("lessons-tabs");
  return Boolean(tab && tab.offsetParent);
}

// What lies under the guide can be scrolled out from under it.
function makeRoom() {
  const main = document.querySelector(".gradio-container");
  main.style.paddingBottom = guide.hidden ? "" : guide.offsetHeight + 24 + "px";
}

function draw() {
  guide.hidden = !lesson || isReading();
  if (lesson) {
    const last = at === lesson.steps.length;
    find(".title").textContent = lesson.title;
    find(".count").textContent = last ? "all steps" : "step " + (at + 1) + " of " + lesson.steps.length;
    const words = find(".words"), step = lesson.id + " " + at;
    if (words.dataset.step !== step) plant(words, last ? lesson.question : lesson.steps[at]);
    words.dataset.step = step;
    find(".previous").disabled = at === 0;
    find(".next").textContent = last ? "To the answer" : "Done";
  }
  makeRoom();
}

function start(next) {
  lesson = next.lesson;
  terms = next.terms;
  const open = ticksOf(lesson).indexOf(false);
  at = open < 0 ? 0 : open;
  const tab = document.getElementById("lessons-tabs");
  if (!watching && tab) {
    watching = new ResizeObserver(draw);
    watching.observe(tab);
  }
  draw();
}

function back() { trigger("back", {}); }

find(".previous").addEventListener("click", () => { at -= 1; draw(); });
find(".next").addEventListener("click", () => {
  if (at === lesson.steps.length) { back(); return; }
  tick(lesson, at, true);
  at += 1;
  draw();
});
find(".to-lesson").addEventListener("click", back);
find(".close").addEventListener("click", () => { lesson = null; draw(); });
document.addEventListener("studio-lesson", (event) => start(event.detail));
window.addEventListener("resize", makeRoom);
explainTerms(guide, () => terms);
