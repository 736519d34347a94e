// Work that must not hold up the page: functions in a Web Worker made from their own source text, so that no further file is fetched,
// also where the page was opened from disk. Where a browser refuses workers they run here.

import { life } from "./state.js";

export function background(make) {
  const open = new Map();  // requests that are not answered yet, by number
  let worker = null;
  let awake = false;  // the worker has said that it is there
  let tasks = null;  // where there is no worker
  let count = 0;

  function here(task, argument) {
    return Promise.resolve().then(() => tasks[task](argument)).then((done) => done.result);
  }

  function start() {
    const source = "const tasks = (" + make + ")();\n"
      + "onmessage = async ({ data: [number, task, argument] }) => {\n"
      + "  try { const { result, transfer } = await tasks[task](argument); postMessage([number, result], transfer || []); }\n"
      + "  catch (error) { postMessage([number, null, String(error)]); }\n};\npostMessage([0]);";
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    try {
      worker = new Worker(address);
      worker.onmessage = answered;
      worker.onerror = refused;
      life.signal.addEventListener("abort", () => {
        if (worker) worker.terminate();
        URL.revokeObjectURL(address);
      });
    } catch {
      tasks = make();
    }
  }

  // Nothing is handed over before the worker has said that it is there: what was transferred cannot be had back.
  function send(number) {
    const { task, argument, transfer } = open.get(number);
    worker.postMessage([number, task, argument], transfer);
  }

  function answered({ data: [number, result, problem] }) {
    if (number === 0) {
      awake = true;
      for (const waiting of open.keys()) send(waiting);
      return;
    }
    const { resolve, reject } = open.get(number);
    open.delete(number);
    if (problem) reject(new Error(problem));
    else resolve(result);
  }

  function refused() {
    worker = null;
    tasks = make();
    for (const { task, argument, resolve, reject } of open.values()) here(task, argument).then(resolve, reject);
    open.clear();
  }

  return {
    // Runs tasks[task](argument), which answers { result, transfer }; resolves to the result.
    ask(task, argument, transfer = []) {
      if (!worker && !tasks) start();
      if (tasks) return here(task, argument);
      return new Promise((resolve, reject) => {
        open.set(++count, { task, argument, transfer, resolve, reject });
        if (awake) send(count);
      });
    },
  };
}
