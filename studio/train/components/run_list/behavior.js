// The runs of this machine. A press on a name shows that run; deleting asks once more in the row itself.
//
// The value is what studio.train.runs_view.rows_of returns: runs, each with texts name, state, words (the state for people), network,
// steps, score, gain, gain_kind ("good", "bad" or ""), time, use (what the button says that puts its checkpoint into the pickers, "" for
// none), used (said where there is nothing to press), and with shown, live, comparable and deletable. Triggers `chosen`, `used` and
// `deleted` with {name}, `compared` with {names}. Deleting was confirmed.

const root = element.querySelector(".runs");
const body = element.querySelector("tbody");
const compare = element.querySelector(".compare");
const ticked = new Set();
let doomed = "";  // the run whose deletion is being asked about
let drawn = "";

const runs = () => (props.value && Array.isArray(props.value.runs) ? props.value.runs : []);
const make = (tag, className, text) => Object.assign(document.createElement(tag), { className, textContent: text || "" });

function button(words, className, label, act) {
  const one = make("button", className, words);
  one.type = "button";
  one.setAttribute("aria-label", label);
  one.dataset.act = words;
  one.addEventListener("click", act);
  return one;
}

function tick(run) {
  const cell = make("td"), box = make("input");
  Object.assign(box, { type: "checkbox", checked: ticked.has(run.name), disabled: !run.comparable });
  box.setAttribute("aria-label", "Compare " + run.name);
  box.addEventListener("change", () => {
    if (box.checked) ticked.add(run.name); else ticked.delete(run.name);
    count();
  });
  cell.append(box);
  return cell;
}

function acts(run) {
  const cell = make("td"), row = make("div", "acts");
  if (doomed === run.name) {
    row.append(
      make("span", "said", "Delete it with its checkpoints?"),
      button("Delete", "danger", "Delete " + run.name + " for good", () => { doomed = ""; ticked.delete(run.name); trigger("deleted", { name: run.name }); }),
      button("Keep", "", "Keep " + run.name, () => { doomed = ""; draw(); }),
    );
  } else {
    if (run.use) row.append(button(run.use, "", run.use + ": " + run.name, () => trigger("used", { name: run.name })));
    else if (run.used) row.append(make("span", "said", run.used));
    if (run.deletable) row.append(button("Delete", "", "Delete " + run.name, () => { doomed = run.name; draw(); }));
  }
  cell.append(row);
  return cell;
}

function line(run) {
  const tr = make("tr", run.shown ? "shown" : ""), name = make("th");
  tr.dataset.name = run.name;
  tr.dataset.state = run.state;
  name.scope = "row";
  name.append(button(run.name, "", "Show " + run.name, () => trigger("chosen", { name: run.name })));
  tr.append(tick(run), name, make("td", run.live ? "live" : run.state === "failed" ? "bad" : "", run.words), make("td", "", run.network),
    make("td", "number", run.steps), make("td", "number", run.score), make("td", "number " + run.gain_kind, run.gain),
    make("td", "number", run.time), acts(run));
  return tr;
}

function count() {
  const some = [...ticked].filter((name) => runs().some((run) => run.name === name)).length;
  compare.disabled = some < 2;
  compare.textContent = some > 1 ? "Compare " + some : "Compare";
}

function draw() {
  const focused = body.contains(document.activeElement) ? document.activeElement : null;
  const place = focused && [focused.closest("tr").dataset.name, focused.dataset.act];
  body.replaceChildren(...runs().map(line));
  if (place) {
    const row = [...body.children].find((one) => one.dataset.name === place[0]);
    const again = row && ([...row.querySelectorAll("button")].find((one) => one.dataset.act === place[1]) || row.querySelector("button"));
    if (again) again.focus();
  }
  count();
}

compare.addEventListener("click", () => trigger("compared", { names: runs().map((run) => run.name).filter((name) => ticked.has(name)) }));

function update() {
  root.hidden = runs().length === 0;
  const now = JSON.stringify(runs());
  if (now === drawn) return;
  drawn = now;
  draw();
}

watch("value", update);
update();
