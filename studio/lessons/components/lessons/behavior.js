// Shows one lesson at a time, with a checklist that the browser remembers.
//
// The value is what studio.lessons.view.lessons_value returns. Triggers `study` with {lesson: identifier}: set the studio up for it. In
// the page, the event `studio-lesson` on the document carries the lesson and its terms to the guide.

import { tick, ticksOf } from "../progress.js";
import { explainTerms } from "../terms.js";
import { plant } from "../tree.js";

const find = (selector) => element.querySelector(selector);
const all = () => (props.value && props.value.lessons) || [];
const terms = () => (props.value && props.value.terms) || {};
let current = null;

function stateWords(lesson) {
  const ticks = ticksOf(lesson), done = ticks.filter(Boolean).length;
  if (done === ticks.length) return "done";
  return done ? done + " of " + ticks.length + " steps" : lesson.minutes + " minutes";
}

function entry(lesson) {
  const item = document.createElement("li"), button = document.createElement("button");
  button.type = "button";
  button.append(...["number", "title", "state"].map((name) => Object.assign(document.createElement("span"), { className: name })));
  button.addEventListener("click", () => open(lesson));
  item.append(button);
  return item;
}

function drawContents() {
  all().forEach((lesson, i) => {
    const button = find(".contents ol").children[i].firstChild, words = [lesson.number, lesson.title, stateWords(lesson)];
    words.forEach((text, place) => { button.children[place].textContent = text; });
    if (lesson === current) button.setAttribute("aria-current", "page"); else button.removeAttribute("aria-current");
    find("select").options[i].textContent = lesson.number + "  " + lesson.title + " (" + stateWords(lesson) + ")";
  });
  find("select").value = current.id;
}

function stepItem(lesson, trees, i) {
  const item = document.createElement("li"), box = document.createElement("input"), words = document.createElement("div");
  plant(words, trees);
  words.id = "lesson-step-" + i;
  box.type = "checkbox";
  box.setAttribute("aria-labelledby", words.id);
  box.addEventListener("change", () => tick(lesson, i, box.checked));
  words.addEventListener("click", (event) => { if (!event.target.closest("button")) box.click(); });
  item.append(box, words);
  return item;
}

function drawTicks() {
  ticksOf(current).forEach((done, i) => { find(".steps").children[i].firstChild.checked = done; });
}

function turnButton(button, lesson, words) {
  button.hidden = !lesson;
  button.textContent = lesson ? words + ": " + lesson.title : "";
  button.onclick = () => open(lesson);
}

function show(lesson) {
  current = lesson;
  find(".kicker").textContent = "Lesson " + lesson.number + " of " + all().length + ", about " + lesson.minutes + " minutes";
  find("h2").textContent = lesson.title;
  plant(find(".about"), lesson.about);
  plant(find(".question"), lesson.question);
  plant(find(".answer > div"), lesson.answer);
  find(".answer").open = false;
  find(".steps").replaceChildren(...lesson.steps.map((trees, i) => stepItem(lesson, trees, i)));
  const at = all().indexOf(lesson);
  turnButton(find(".previous"), all()[at - 1], "Before");
  turnButton(find(".next"), all()[at + 1], "Next");
  drawTicks();
  drawContents();
}

function open(lesson) {
  show(lesson);
  find("h2").focus({ preventScroll: true });
  if (find("h2").getBoundingClientRect().top < 0) element.scrollIntoView();
}

function build() {
  find(".contents ol").replaceChildren(...all().map(entry));
  find("select").replaceChildren(...all().map((lesson) => new Option(lesson.title, lesson.id)));
  if (all().length) show(all().find((lesson) => ticksOf(lesson).includes(false)) || all()[0]);
}

find("select").addEventListener("change", () => show(all().find((lesson) => lesson.id === find("select").value)));
find(".set-up").addEventListener("click", () => {
  document.dispatchEvent(new CustomEvent("studio-lesson", { detail: { lesson: current, terms: terms() } }));
  trigger("study", { lesson: current.id });
});
document.addEventListener("studio-lesson-ticked", () => { drawTicks(); drawContents(); });
explainTerms(find(".lessons"), terms);
watch("value", build);
build();
