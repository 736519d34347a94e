// A form drawn from a description of its fields. It tells each edit to the server, and shows what the server makes of it.
//
// The value is what studio.train.recipe_view.form_of returns:
// - groups: each with title, open (unfolded at first) and fields, each with path, label, kind (see training.config_text.ConfigField), about,
//   unit, choices, value (as its field shows it) and problem ("" for none).
// - closed: the text behind the form cannot be read, so nothing can be entered.
// - all: what is shown replaces even what somebody is writing.
// Triggers `edited` with {setting: its path, value: text, or true and false of a box}.

import { find, make } from "../../../page/elements.js";

const root = find(".recipe");
const place = find(".groups");
const inputs = new Map();  // by path: { control, problem, kind }
let drawn = "";
let known = [];  // while the text cannot be read, the form shows what it held last

function groups() {
  if (props.value && !props.value.closed && Array.isArray(props.value.groups)) known = props.value.groups;
  return known;
}

// ---------------------------------------------------------------- fields

function select(field) {
  const control = make("select");
  control.append(...field.choices.map((choice) => new Option(choice, choice)));
  return control;
}

function box() {
  const control = make("input");
  control.type = "checkbox";
  return control;
}

function textarea() {
  const control = make("textarea");
  control.spellcheck = false;
  return control;
}

function textInput(field) {
  const control = make("input");
  Object.assign(control, { type: "text", autocomplete: "off", spellcheck: false });
  if (field.kind === "integer" || field.kind === "number") {
    control.classList.add("number");
    control.inputMode = "decimal";
  }
  return control;
}

const MAKERS = { choice: select, boolean: box, mapping: textarea };

function controlOf(field) {
  const control = (MAKERS[field.kind] || textInput)(field);
  control.addEventListener("change", () => {
    trigger("edited", { setting: field.path, value: field.kind === "boolean" ? control.checked : control.value });
  });
  return control;
}

function fieldRow(field, number) {
  const row = make("div", "field" + (["mapping", "rows", "texts"].includes(field.kind) ? " wide" : ""));
  const name = make("label", "name", field.label);
  const about = make("span", "about", field.about);
  const problem = make("span", "problem");
  const control = controlOf(field);
  if (field.unit) name.append(" ", make("span", "unit", field.unit));
  control.id = "setting-" + number;
  about.id = control.id + "-about";
  problem.id = control.id + "-problem";
  name.htmlFor = control.id;
  control.dataset.path = field.path;
  control.setAttribute("aria-describedby", about.id + " " + problem.id);
  row.append(name, control, about, problem);
  inputs.set(field.path, { control, problem, kind: field.kind });
  return row;
}

function build() {
  let number = 0;
  inputs.clear();
  place.replaceChildren(...groups().map((group) => {
    const folded = make("details");
    const fields = make("div", "fields");
    const title = make("summary", "", group.title);
    folded.open = group.open && !matchMedia("(max-width: 760px)").matches;
    title.append(make("span", "wrong"));
    fields.append(...group.fields.map((field) => fieldRow(field, ++number)));
    folded.append(title, fields);
    return folded;
  }));
}

// ---------------------------------------------------------------- values

// A field that somebody is in keeps what they wrote, unless it was the server's answer to something else they did.
function fill(field) {
  const { control, problem, kind } = inputs.get(field.path);
  if (kind === "boolean") control.checked = field.value === true;
  else if (control !== document.activeElement || props.value.all) control.value = field.value;
  problem.textContent = field.problem;
  control.setAttribute("aria-invalid", String(Boolean(field.problem)));
}

function update() {
  const shape = JSON.stringify(groups().map((group) => [group.title, group.fields.map((field) => [field.path, field.choices])]));
  if (shape !== drawn) {
    drawn = shape;
    build();
  }
  const closed = Boolean(props.value && props.value.closed);
  find(".closed").hidden = !closed;
  root.dataset.closed = String(closed);
  for (const { control } of inputs.values()) control.disabled = closed;
  groups().forEach((group, i) => {
    group.fields.forEach(fill);
    const count = group.fields.filter((field) => field.problem).length;
    place.children[i].querySelector(".wrong").textContent = count ? count + (count > 1 ? " problems" : " problem") : "";
  });
}

watch("value", update);
update();
