// Calculations for maps and for numbers of the visible crop: most urgent first, a few at once, and never so many in one frame that the
// picture stutters.

import { background } from "./background.js";
import { nextErrorJob, nextSimilarityJob } from "./crop.js";
import { frame } from "./frame.js";
import { mapMathematics } from "./map_values.js";
import { nextMapJob } from "./maps.js";
import { life } from "./state.js";

const AT_ONCE = 2;
const BUDGET_MS = 8;  // of a frame that reading pixels may take at rest
const BUDGET_MOVING_MS = 2;  // and while the view moves, until it has rested for
const MOVING_MS = 100;
const calculations = background(mapMathematics);
let underway = 0;
let spentMs = 0;
let resting = false;

// Jobs are made when there is room for them, never queued: what is not looked at any more is never calculated.
export function calculate() {
  while (underway < AT_ONCE) {
    const began = performance.now();
    if (spentMs > (began - frame.movedAt < MOVING_MS ? BUDGET_MOVING_MS : BUDGET_MS)) {
      rest();
      return;
    }
    const job = nextJob();
    spentMs += performance.now() - began;
    if (!job) return;
    underway++;
    calculations.ask(job.task, job.argument, job.transfer)
      .then((result) => {
        if (!life.signal.aborted) job.done(result);
      }, (problem) => console.warn("calculation failed", problem))
      .finally(() => {
        underway--;
        calculate();
      });
  }
}

// A job is { task, argument, transfer, done }.
function nextJob() {
  return nextErrorJob() || nextMapJob() || nextSimilarityJob(calculate);
}

function rest() {
  if (resting) return;
  resting = true;
  requestAnimationFrame(() => {
    resting = false;
    spentMs = 0;
    calculate();
  });
}
