// Asks the server now and then whether there is news, and triggers an event only where there is: an event costs the page
// many times more than a question. Nothing is asked while nobody looks.
//
// There is no value. server.pulse answers with the news as two texts that differ whenever there are others: `urgent` triggers `beat`
// within three seconds, `news` within nine to twenty more, later on a slow machine.

const EVERY = 3000;  // milliseconds between questions
const SOONEST = 9000, LATEST = 20000;  // news that can wait are told at a distance between these,
const SHARE = 0.01;  // so that telling them takes this share of the page's time
let known = null, told = -Infinity, asking = false, busy = 0;

// How long the page was busy, mostly with its last news, since it was told them; 0 where the browser does not say.
const work = new PerformanceObserver((list) => { for (const task of list.getEntries()) busy += task.duration; });
work.observe({ type: "longtask" });

const distance = () => Math.min(Math.max(busy / SHARE, SOONEST), LATEST);

async function ask() {
  if (asking || document.hidden || element.getClientRects().length === 0) return;
  asking = true;
  try {
    const heard = await server.pulse({}), now = performance.now();
    const urgent = !known || heard.urgent !== known.urgent;
    if (urgent || (heard.news !== known.news && now - told >= distance())) {
      known = heard;
      told = now;
      busy = 0;
      trigger("beat", {});
    }
  } catch { /* the server is away or restarting: the next question tells */ } finally { asking = false; }
}

const clock = setInterval(() => {
  if (element.isConnected) return ask();
  clearInterval(clock);
  work.disconnect();
}, EVERY);
