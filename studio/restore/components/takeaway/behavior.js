// Asks the server for a zip, a page or a link, and hands over what comes back.
//
// Triggers `take_zip`, `take_page` and `take_link` with {exif, look}: whether camera facts are wanted, and what the Restore tab's viewer
// shows (see studio.session.link.look_of). The value is the answer: {answer: a new number, file: a served file or null, query: a query
// string or null, words: what to say}.

const buttons = [...element.querySelectorAll("button")];
const said = element.querySelector(".said");
const address = element.querySelector(".address");
const exif = element.querySelector("input[type=checkbox]");
let answered = 0;

function look() {
  const viewer = document.querySelector("#viewer .viewer");
  try { return JSON.parse((viewer && viewer.dataset.look) || "{}"); } catch { return {}; }
}

function busy(on) { buttons.forEach((button) => { button.disabled = on; }); }

function ask(kind) {
  busy(true);
  said.textContent = kind === "link" ? "" : "packing";
  address.hidden = true;
  const asked = { exif: exif.checked, look: look() };
  if (kind === "zip") trigger("take_zip", asked);
  else if (kind === "page") trigger("take_page", asked);
  else trigger("take_link", asked);
}

function save(file) {
  const link = document.createElement("a");
  link.href = file.url;
  link.download = file.orig_name;
  document.body.append(link);
  link.click();
  link.remove();
}

async function offer(query) {
  const url = new URL(location.href);
  url.search = query;
  url.hash = "";
  address.value = url.href;
  address.hidden = false;
  try {
    await navigator.clipboard.writeText(url.href);
    said.textContent = said.textContent + " Copied.";
  } catch {
    address.focus();
    address.select();
  }
}

function update() {
  const value = props.value || {};
  if (!value.answer || value.answer === answered) return;
  answered = value.answer;
  busy(false);
  said.textContent = value.words || "";
  if (value.file) save(value.file);
  if (value.query) offer(value.query);
}

buttons.forEach((button) => button.addEventListener("click", () => ask(button.dataset.kind)));
watch("value", update);
update();
