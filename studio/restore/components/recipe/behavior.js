// Ways to damage the picture by name, and one's own from and to a file.
//
// The first value: {recipes: [{name, title}]}. Later ones answer: {answer: a new number, words: what was set, trouble: what is wrong, text and
// file: a recipe and the name of its file}. Triggers `chosen` with {name}, `loaded` with {text} and `saved`.

import { find, make } from "../../../page/elements.js";

const LARGEST_BYTES = 16384;
/** @type {HTMLInputElement} */
const chooser = find(".chooser");
/** @type {HTMLSelectElement} */
const select = find("select");
let answered = 0;

function tell(words, trouble) {
  find(".said").textContent = words || "";
  find(".trouble").textContent = trouble || "";
  find(".trouble").hidden = !trouble;
}

async function load(file) {
  chooser.value = "";
  if (!file) return;
  trigger("loaded", { text: file.size > LARGEST_BYTES ? "" : await file.text() });
}

function save(text, name) {
  const link = make("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

select.append(...props.value.recipes.map(({ name, title }) => new Option(title, name)));
select.addEventListener("change", () => {
  if (select.value) trigger("chosen", { name: select.value });
});
find(".open").addEventListener("click", () => chooser.click());
find(".save").addEventListener("click", () => trigger("saved"));
chooser.addEventListener("change", () => load([...chooser.files][0]));

function update() {
  const value = props.value || {};
  if (!value.answer || value.answer === answered) return;
  answered = value.answer;
  tell(value.words, value.trouble);
  if (value.text) save(value.text, value.file);
  select.value = "";  // the same one may be chosen again after the controls were moved
}

watch("value", update);
