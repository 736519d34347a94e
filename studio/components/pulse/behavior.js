// Asks the server now and then whether there is news, and triggers an event only where there is: an event costs the page
// many times more than a question. Nothing is asked while nobody looks.

const EVERY = 3000;  // milliseconds between questions
const NEWS = 9000;  // news that can wait are told at this distance
let known = null, told = -Infinity, asking = false;

async function ask() {
  if (asking || document.hidden || element.getClientRects().length === 0) return;
  asking = true;
  try {
    const heard = await server.pulse({}), now = performance.now();
    const urgent = !known || heard.urgent !== known.urgent;
    if (urgent || (heard.news !== known.news && now - told >= NEWS)) {
      known = heard;
      told = now;
      trigger("beat", {});
    }
  } catch { /* the server is away or restarting: the next question tells */ } finally { asking = false; }
}

const clock = setInterval(() => { if (element.isConnected) ask(); else clearInterval(clock); }, EVERY);
