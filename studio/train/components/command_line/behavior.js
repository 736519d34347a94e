// A command to copy. The server is told of it, so that everything the command needs is in its place.
//
// The value: line, the command, and note, a sentence below; without a line it takes no room. Triggers `copied`.

import { find } from "../../../page/elements.js";

const root = find(".command");
const line = find("pre");
const note = find(".note");

find("button").addEventListener("click", async () => {
  trigger("copied", {});
  try {
    await navigator.clipboard.writeText(line.textContent);
    note.textContent = "Copied.";
  } catch {
    getSelection().selectAllChildren(line);  // a page that may not write to the clipboard selects it for the person
    note.textContent = "Selected; copy it with the keyboard.";
  }
});

function update() {
  const value = props.value || {};
  root.hidden = !value.line;
  if (line.textContent !== value.line) line.textContent = value.line || "";
  note.textContent = value.note || "";
}

watch("value", update);
update();
