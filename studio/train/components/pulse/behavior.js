// Asks the server now and then whether there is news, and triggers an event only where there is: an event costs the page
// many times more than a question. Nothing is asked while nobody looks.
//
// Meanwhile it counts the seconds of what is under way, in elements of the tab's head with data-since, which names the moment it began, and
// data-passed, the seconds that had passed when they were drawn.
//
// There is no value. server.pulse answers with the news as two texts that differ whenever there are others: `urgent` triggers `beat`
// within three seconds, `news` within nine to twenty more, later on a slow machine.

const TICK_MS = 1000;
const EVERY_MS = 3000;  // between questions
const SOONEST_MS = 9000;  // news that can wait are told at a distance between these,
const LATEST_MS = 20000;
const SHARE = 0.01;  // so that telling them takes this share of the page's time

let known = null;
let toldAt = -Infinity;
let asking = false;
let busyMs = 0;  // how long the page was busy since it was told news, mostly with them; 0 where the browser does not say

const work = new PerformanceObserver((list) => {
  for (const task of list.getEntries()) busyMs += task.duration;
});
work.observe({ type: "longtask" });

function distance() {
  return Math.min(Math.max(busyMs / SHARE, SOONEST_MS), LATEST_MS);
}

async function ask() {
  if (asking || document.hidden || element.getClientRects().length === 0) return;
  asking = true;
  try {
    const answer = await server.pulse({});
    const now = performance.now();
    const urgent = !known || answer.urgent !== known.urgent;
    if (urgent || (answer.news !== known.news && now - toldAt >= distance())) {
      known = answer;
      toldAt = now;
      busyMs = 0;
      trigger("beat", {});
    }
  } catch {
    // The server is away or restarting: the next question tells.
  } finally {
    asking = false;
  }
}

let counted = "";  // what stood in the element's data; Gradio may draw another moment into the same element
let countedFrom = 0;

function count() {
  /** @type {HTMLElement | null} */
  const seconds = document.querySelector("#train-head [data-passed]");
  if (!seconds) return;
  const { since, passed } = seconds.dataset;
  if (counted !== since + " " + passed) {
    counted = since + " " + passed;
    countedFrom = performance.now() - Number(passed) * 1000;
  }
  seconds.textContent = Math.round((performance.now() - countedFrom) / 1000) + " s";
}

let ticks = 0;
const clock = setInterval(() => {
  if (!element.isConnected) {
    clearInterval(clock);
    work.disconnect();
    return;
  }
  count();
  ticks += 1;
  if (ticks % (EVERY_MS / TICK_MS) === 0) ask();
}, TICK_MS);
