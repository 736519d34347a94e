// Which steps of which lesson are done: stored in the browser, told to everybody on the page.

const PROGRESS = "jpeg-studio-lessons";

function readProgress() {
  try {
    return JSON.parse(localStorage.getItem(PROGRESS)) || {};
  } catch {
    return {};
  }
}

function keepProgress(progress) {
  try {
    localStorage.setItem(PROGRESS, JSON.stringify(progress));
  } catch {
    // A private window.
  }
}

export function ticksOf(lesson) {
  const ticks = readProgress()[lesson.id];
  return lesson.steps.map((_, i) => Array.isArray(ticks) && ticks[i] === true);
}

export function tick(lesson, step, done) {
  const ticks = ticksOf(lesson);
  ticks[step] = done;
  keepProgress({ ...readProgress(), [lesson.id]: ticks });
  document.dispatchEvent(new CustomEvent("studio-lesson-ticked", { detail: lesson.id }));
}
