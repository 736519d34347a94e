// Shows one lesson at a time, with a checklist that the browser remembers.
//
// The value is what studio.lessons.view.lessons_value returns. Triggers `study` with {lesson: identifier}: set the studio up for it. In
// the page, the event `studio-lesson` on the document carries the lesson and its terms to the guide.

import { find, make, targetOf } from "../../../page/elements.js";
import { tick, ticksOf } from "../progress.js";
import { explainTerms } from "../terms.js";
import { plant } from "../tree.js";

/** @type {HTMLSelectElement} */
const chooser = find("select");
const contents = find(".contents ol");
const steps = find(".steps");
/** @type {HTMLDetailsElement} */
const answer = find(".answer");
let current = null;

function lessons() {
  return (props.value && props.value.lessons) || [];
}

function terms() {
  return (props.value && props.value.terms) || {};
}

// ---------------------------------------------------------------- the list of lessons

function progressWords(lesson) {
  const ticks = ticksOf(lesson);
  const done = ticks.filter(Boolean).length;
  if (done === ticks.length) return "done";
  return done ? done + " of " + ticks.length + " steps" : lesson.minutes + " minutes";
}

function entry(lesson) {
  const item = make("li");
  const button = make("button");
  button.type = "button";
  button.append(...["number", "title", "state"].map((name) => make("span", name)));
  button.addEventListener("click", () => open(lesson));
  item.append(button);
  return item;
}

function drawContents() {
  lessons().forEach((lesson, i) => {
    const button = contents.children[i].children[0];
    const words = [lesson.number, lesson.title, progressWords(lesson)];
    words.forEach((text, place) => {
      button.children[place].textContent = text;
    });
    if (lesson === current) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
    chooser.options[i].textContent = lesson.number + "  " + lesson.title + " (" + progressWords(lesson) + ")";
  });
  chooser.value = current.id;
}

// ---------------------------------------------------------------- one lesson

function stepItem(lesson, trees, i) {
  const item = make("li");
  const box = make("input");
  const words = make("div");
  plant(words, trees);
  words.id = "lesson-step-" + i;
  box.type = "checkbox";
  box.setAttribute("aria-labelledby", words.id);
  box.addEventListener("change", () => tick(lesson, i, box.checked));
  words.addEventListener("click", (event) => {
    if (!targetOf(event).closest("button")) box.click();
  });
  item.append(box, words);
  return item;
}

function drawTicks() {
  ticksOf(current).forEach((done, i) => {
    steps.children[i].querySelector("input").checked = done;
  });
}

function turnButton(button, lesson, words) {
  button.hidden = !lesson;
  button.textContent = lesson ? words + ": " + lesson.title : "";
  button.onclick = () => open(lesson);
}

function show(lesson) {
  current = lesson;
  find(".kicker").textContent = "Lesson " + lesson.number + " of " + lessons().length + ", about " + lesson.minutes + " minutes";
  find("h2").textContent = lesson.title;
  plant(find(".about"), lesson.about);
  plant(find(".question"), lesson.question);
  plant(find(".answer > div"), lesson.answer);
  answer.open = false;
  steps.replaceChildren(...lesson.steps.map((trees, i) => stepItem(lesson, trees, i)));
  const place = lessons().indexOf(lesson);
  turnButton(find(".previous"), lessons()[place - 1], "Before");
  turnButton(find(".next"), lessons()[place + 1], "Next");
  drawTicks();
  drawContents();
}

function open(lesson) {
  show(lesson);
  tellAddress(lesson.id);
  find("h2").focus({ preventScroll: true });
  if (find("h2").getBoundingClientRect().top < 0) element.scrollIntoView();
}

// ---------------------------------------------------------------- addresses: #lessons/twice, #lessons/quiz

function innerTab(id) {
  /** @type {HTMLElement} */
  const tab = document.querySelector("#lessons-tabs > .tab-wrapper .tab-container:not(.visually-hidden) [data-tab-id='" + id + "']");
  return tab;
}

function tellAddress(id) {
  if (document.documentElement.dataset.place === "lessons") history.replaceState(history.state, "", "#lessons/" + id);
}

function arriveAt(rest) {
  const lesson = lessons().find(({ id }) => id === rest), list = innerTab("list");
  if (!list) requestAnimationFrame(() => arriveAt(rest));  // the tabs are still to come
  else (innerTab(lesson ? "list" : rest) || list).click();
  if (lesson) show(lesson);
}

document.addEventListener("studio-place", (event) => {
  const { place, rest } = /** @type {CustomEvent} */ (event).detail;
  if (place === "lessons" && rest) arriveAt(rest);
});
document.addEventListener("click", (event) => {
  const tab = targetOf(event).closest("#lessons-tabs > .tab-wrapper [data-tab-id]");
  if (tab && event.isTrusted) tellAddress(tab.getAttribute("data-tab-id") === "list" ? current.id : tab.getAttribute("data-tab-id"));
});

// ---------------------------------------------------------------- what the server sends, and what is pressed

function update() {
  contents.replaceChildren(...lessons().map(entry));
  chooser.replaceChildren(...lessons().map((lesson) => new Option(lesson.title, lesson.id)));
  if (lessons().length) show(lessons().find((lesson) => ticksOf(lesson).includes(false)) || lessons()[0]);
}

// The first step of every lesson is to set the studio up.
function setUp() {
  tick(current, 0, true);
  document.dispatchEvent(new CustomEvent("studio-lesson", { detail: { lesson: current, terms: terms() } }));
  trigger("study", { lesson: current.id });
}

chooser.addEventListener("change", () => show(lessons().find((lesson) => lesson.id === chooser.value)));
find(".set-up").addEventListener("click", () => {
  document.dispatchEvent(new CustomEvent("studio-replace", { detail: setUp }));
});
document.addEventListener("studio-lesson-ticked", () => {
  drawTicks();
  drawContents();
});
explainTerms(find(".lessons"), terms);
watch("value", update);
update();
if (location.hash.startsWith("#lessons/")) arriveAt(location.hash.slice("#lessons/".length));
