// Whether the server can be reached: says so in a strip instead of Gradio's message, and what becomes of the picture. The root's attribute
// data-connection is "lost" meanwhile, and the document hears studio-connection with whether it is lost; studio-unreachable tells of it.
//
// The server forgets a visitor whose heartbeat ends, so the page is then opened anew; what somebody brought lies in the browser, whose name
// the root has as data-kept.

import { find } from "../elements.js";

const TRY_MS = 1000;
const SAID_MS = 4000;
const line = find(".strip");
const page = document.documentElement;
let lost = false;
let over = false;  // the visit itself, and not only the network for a moment

function tell(words) {
  line.textContent = words;
  line.hidden = !words;
}

async function reachable() {
  const { root, api_prefix: prefix } = window.gradio_config;
  try {
    return (await fetch(root + prefix + "/app_id", { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}

function announce() {
  if (lost) page.dataset.connection = "lost";
  else delete page.dataset.connection;
  document.dispatchEvent(new CustomEvent("studio-connection", { detail: lost }));
}

async function retry() {
  if (!navigator.onLine || !(await reachable())) {
    setTimeout(retry, TRY_MS);
    return;
  }
  if (over || document.querySelector(".toast-body.error")) {  // then Gradio opens the page anew as well
    location.reload();
    return;
  }
  lost = false;
  tell("Connected again.");
  announce();
  setTimeout(() => {
    if (!lost) tell("");
  }, SAID_MS);
}

function lose() {
  if (lost) return;
  lost = true;
  tell("No connection. " + (page.dataset.kept ? "Your picture is safe in this browser. " : "") + "Trying again.");
  announce();
  setTimeout(retry, TRY_MS);
}

export function watchConnection() {
  window.addEventListener("offline", lose);
  document.addEventListener("studio-unreachable", lose);
  let leaving = false;
  window.addEventListener("pagehide", () => {
    leaving = true;
  });
  window.addEventListener("pageshow", () => {
    leaving = false;
  });
  new PerformanceObserver((ended) => {
    if (leaving || !ended.getEntries().some(({ name }) => name.includes("/heartbeat/"))) return;
    over = true;
    lose();
  }).observe({ type: "resource", buffered: true });
}
