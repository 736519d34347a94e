// A form drawn from a description of its fields. It tells each edit to the server, and shows what the server makes of it.
//
// The value is what studio.train.recipe_view.form_of returns:
// - groups: each with title, open (unfolded at first) and fields, each with path, label, kind (see training.schema.ConfigField), about,
//   unit, choices, value (as its field shows it) and problem ("" for none).
// - closed: the text behind the form cannot be read, so nothing can be entered.
// - all: what is shown replaces even what somebody is writing.
// Triggers `edited` with {setting: its path, value: text, or true and false of a box}.

const root = element.querySelector(".recipe");
const place = element.querySelector(".groups");
const inputs = new Map();  // by path: { control, problem, kind }
let drawn = "";

let kept = [];  // while the text cannot be read, the form shows what it held last

function groups() {
  if (props.value && !props.value.closed && Array.isArray(props.value.groups)) kept = props.value.groups;
  return kept;
}

const make = (tag, className, text) => Object.assign(document.createElement(tag), { className, textContent: text || "" });

function control(field) {
  const kind = field.kind === "choice" ? "select" : field.kind === "mapping" ? "textarea" : "input";
  const one = document.createElement(kind);
  if (kind === "select") one.append(...field.choices.map((choice) => new Option(choice, choice)));
  if (field.kind === "boolean") one.type = "checkbox";
  else if (kind === "input") Object.assign(one, { type: "text", autocomplete: "off", spellcheck: false });
  if (field.kind === "integer" || field.kind === "number") { one.classList.add("number"); one.inputMode = "decimal"; }
  if (kind === "textarea") one.spellcheck = false;
  one.addEventListener("change", () => {
    trigger("edited", { setting: field.path, value: field.kind === "boolean" ? one.checked : one.value });
  });
  return one;
}

function row(field, number) {
  const line = make("div", "field" + (["mapping", "rows", "texts"].includes(field.kind) ? " wide" : ""));
  const name = make("label", "name", field.label), about = make("span", "about", field.about), problem = make("span", "problem");
  const one = control(field);
  if (field.unit) name.append(" ", make("span", "unit", field.unit));
  one.id = "setting-" + number;
  about.id = one.id + "-about";
  problem.id = one.id + "-problem";
  name.htmlFor = one.id;
  one.dataset.path = field.path;
  one.setAttribute("aria-describedby", about.id + " " + problem.id);
  line.append(name, one, about, problem);
  inputs.set(field.path, { control: one, problem, kind: field.kind });
  return line;
}

function build() {
  let number = 0;
  inputs.clear();
  place.replaceChildren(...groups().map((group) => {
    const folded = make("details", ""), fields = make("div", "fields"), title = make("summary", "", group.title);
    folded.open = group.open && !matchMedia("(max-width: 760px)").matches;
    title.append(make("span", "wrong"));
    fields.append(...group.fields.map((field) => row(field, ++number)));
    folded.append(title, fields);
    return folded;
  }));
}

// A field that somebody is in keeps what they wrote, unless it was the server's answer to something else they did.
function fill(field) {
  const { control: one, problem, kind } = inputs.get(field.path);
  if (kind === "boolean") one.checked = field.value === true;
  else if (one !== document.activeElement || props.value.all) one.value = field.value;
  problem.textContent = field.problem;
  one.setAttribute("aria-invalid", String(Boolean(field.problem)));
}

function update() {
  const shape = JSON.stringify(groups().map((group) => [group.title, group.fields.map((field) => [field.path, field.choices])]));
  if (shape !== drawn) { drawn = shape; build(); }
  const closed = Boolean(props.value && props.value.closed);
  element.querySelector(".closed").hidden = !closed;
  root.dataset.closed = String(closed);
  for (const one of inputs.values()) one.control.disabled = closed;
  groups().forEach((group, i) => {
    group.fields.forEach(fill);
    const count = group.fields.filter((field) => field.problem).length;
    place.children[i].querySelector(".wrong").textContent = count ? count + (count > 1 ? " problems" : " problem") : "";
  });
}

watch("value", update);
update();
