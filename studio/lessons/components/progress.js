// Which steps of which lesson are done: kept in the browser, told to everybody on the page.

const PROGRESS = "jpeg-studio-lessons";

function readProgress() {
  try { return JSON.parse(localStorage.getItem(PROGRESS)) || {}; } catch { return {}; }
}

export function ticksOf(lesson) {
  const ticks = readProgress()[lesson.id];
  return lesson.steps.map((_, i) => Array.isArray(ticks) && ticks[i] === true);
}

export function tick(lesson, step, done) {
  const ticks = ticksOf(lesson);
  ticks[step] = done;
  try { localStorage.setItem(PROGRESS, JSON.stringify({ ...readProgress(), [lesson.id]: ticks })); } catch { /* a private window */ }
  document.dispatchEvent(new CustomEvent("studio-lesson-ticked", { detail: lesson.id }));
}
