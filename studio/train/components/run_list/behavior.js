// The runs of this machine. A press on a name shows that run; deleting asks once more in the row itself.
//
// The value is what studio.train.runs_view.rows_of returns: runs, each with texts name, state, words (the state for people), network,
// steps, score, gain, gain_kind ("good", "bad" or ""), time, use (what the button says that puts its checkpoint into the pickers, "" for
// none), used (said where there is nothing to press; "" for a run without a model), caution (what speaks against using it, or ""), and with
// shown, live, comparable and deletable. Triggers `chosen`, `used` and `deleted` with {name}, `compared` with {names}. Deleting, which
// takes the model with it, was confirmed.

import { find, make } from "../../../page/elements.js";

const root = find(".runs");
const body = find("tbody");
/** @type {HTMLButtonElement} */
const compare = find(".compare");
const ticked = new Set();
let doomed = "";  // the run whose deletion is to be confirmed
let drawn = "";

function runs() {
  return props.value && Array.isArray(props.value.runs) ? props.value.runs : [];
}

function actionButton(words, className, label, act) {
  const button = make("button", className, words);
  button.type = "button";
  button.setAttribute("aria-label", label);
  button.dataset.act = words;
  button.addEventListener("click", act);
  return button;
}

function tickCell(run) {
  const cell = make("td");
  const box = make("input");
  Object.assign(box, { type: "checkbox", checked: ticked.has(run.name), disabled: !run.comparable });
  box.setAttribute("aria-label", "Compare " + run.name);
  box.addEventListener("change", () => {
    if (box.checked) ticked.add(run.name);
    else ticked.delete(run.name);
    drawCompare();
  });
  cell.append(box);
  return cell;
}

// ---------------------------------------------------------------- what can be done with a run

function setDoomed(name) {
  doomed = name;
  draw();
}

function deleteRun(run) {
  doomed = "";
  ticked.delete(run.name);
  trigger("deleted", { name: run.name });
}

function confirmation(run) {
  const button = actionButton("Delete", "danger", "Delete " + run.name + " for good", () => deleteRun(run));
  if (run.used) button.textContent = "Delete both";
  return [
    make("span", "said", run.used ? "Delete the run and its model in Restore?" : "Delete the run?"),
    button,
    actionButton("Keep", "", "Keep " + run.name, () => setDoomed("")),
  ];
}

function actions(run) {
  const parts = [];
  if (run.use) parts.push(actionButton(run.use, "", run.use + ": " + run.name, () => trigger("used", { name: run.name })));
  else if (run.used) parts.push(make("span", "said", run.used));
  if (run.deletable) parts.push(actionButton("Delete", "", "Delete " + run.name, () => setDoomed(run.name)));
  return parts;
}

function actionCell(run) {
  const cell = make("td");
  const row = make("div", "acts");
  row.append(...(doomed === run.name ? confirmation(run) : actions(run)));
  cell.append(row);
  return cell;
}

// ---------------------------------------------------------------- the table

function stateCell(run) {
  const cell = make("td", "state");
  cell.append(make("span", run.live ? "live" : run.state === "failed" ? "bad" : "", run.words));
  if (run.caution) cell.append(make("span", "said caution", run.caution));
  return cell;
}

function tableRow(run) {
  const row = make("tr", run.shown ? "shown" : "");
  const name = make("th");
  row.dataset.name = run.name;
  row.dataset.state = run.state;
  name.scope = "row";
  name.append(actionButton(run.name, "", "Show " + run.name, () => trigger("chosen", { name: run.name })));
  row.append(tickCell(run), name, stateCell(run), make("td", "", run.network),
    make("td", "number", run.steps), make("td", "number", run.score), make("td", "number " + run.gain_kind, run.gain),
    make("td", "number", run.time), actionCell(run));
  return row;
}

function tickedNames() {
  return runs().map((run) => run.name).filter((name) => ticked.has(name));
}

function drawCompare() {
  const count = tickedNames().length;
  compare.disabled = count < 2;
  compare.textContent = count > 1 ? "Compare " + count : "Compare";
}

// The button that had the focus has it again.
function draw() {
  /** @type {HTMLElement} */
  const focused = body.contains(document.activeElement) ? /** @type {any} */ (document.activeElement) : null;
  const place = focused && { name: focused.closest("tr").dataset.name, act: focused.dataset.act };
  body.replaceChildren(...runs().map(tableRow));
  if (place) {
    const row = [...body.children].find((other) => other.dataset.name === place.name);
    const buttons = row ? [...row.querySelectorAll("button")] : [];
    const button = buttons.find((other) => other.dataset.act === place.act) || buttons[0];
    if (button) button.focus();
  }
  drawCompare();
}

function update() {
  root.hidden = runs().length === 0;
  const latest = JSON.stringify(runs());
  if (latest === drawn) return;
  drawn = latest;
  draw();
}

compare.addEventListener("click", () => trigger("compared", { names: tickedNames() }));
watch("value", update);
update();
