// Takes a clean original for the photograph that somebody brought, by browsing, and says what everything is measured against.
//
// The first value: {accept: the file input's attribute}. Later ones answer: {answer: a new number, state: "added", "none" or "failed", name:
// of the original, again: whether there are results to be measured anew, words: what is wrong}. Triggers `added` with {path, name},
// `removed`, and `measure`. The document's studio-opened hides it for examples; studio-add-original opens the list of files.

import { find } from "../../../page/elements.js";
import { send } from "../photograph/sending.js";

const root = find(".original");
/** @type {HTMLInputElement} */
const chooser = find(".chooser");
const add = find(".add");
const remove = find(".remove");
const trouble = find(".trouble");
let answered = 0;
let name = "";
let travelling = null;

function draw(words = "") {
  find(".state").textContent = words || (name ? "Measured against " + name + "." : "Known from before the damage? Then the gain can be measured.");
  add.textContent = name ? "Choose another" : "Add the clean original";
  remove.hidden = !name;
  for (const button of [add, remove]) button.setAttribute("aria-disabled", String(Boolean(travelling)));
}

function complain(sentence) {
  trouble.textContent = sentence;
  trouble.hidden = !sentence;
}

async function take(file) {
  if (!file) return;
  const trip = new AbortController();
  travelling = trip;
  complain("");
  draw("Sending " + file.name);
  try {
    const path = await send(file, trip.signal, (share) => {
      if (travelling === trip) draw("Sending " + file.name + ", " + Math.round(100 * share) + " %");
    });
    if (travelling !== trip) return;
    draw("Comparing " + file.name);
    trigger("added", { path, name: file.name });
  } catch (problem) {
    if (travelling !== trip) return;
    end();
    complain(file.name + " was not taken: " + (problem instanceof Error ? problem.message : problem) + " Try again.");
  }
}

function end() {
  travelling = null;
  chooser.value = "";
  draw();
}

function choose() {
  if (!travelling) chooser.click();
}

chooser.accept = props.value.accept;
chooser.addEventListener("change", () => take([...chooser.files][0]));
add.addEventListener("click", choose);
remove.addEventListener("click", () => {
  if (travelling) return;
  complain("");
  trigger("removed");
});
document.addEventListener("studio-add-original", choose);
document.addEventListener("studio-opened", (event) => {
  if (travelling) travelling.abort();
  name = "";
  root.hidden = !(/** @type {CustomEvent} */ (event).detail);
  complain("");
  end();
  tell();
});

function tell() {
  document.dispatchEvent(new CustomEvent("studio-original", { detail: name }));
}

function update() {
  const value = props.value || {};
  if (!value.answer || value.answer === answered) return;
  answered = value.answer;
  const wasRemoving = remove.contains(document.activeElement);
  if (value.state === "failed") complain(value.words);
  else name = value.state === "added" ? value.name : "";
  end();
  tell();
  if (!name && wasRemoving) add.focus();
  if (value.again) trigger("measure");
}

watch("value", update);
draw();
