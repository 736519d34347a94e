// The last lines of a program, folded until somebody wants to see them. Whoever has scrolled up stays where they are; everybody else sees
// the newest.
//
// The value: lines, texts, and note, a sentence below; without either it takes no room.

import { find } from "../../../page/elements.js";

const root = find(".log");
const lines = find("pre");

function follow() {
  lines.scrollTop = lines.scrollHeight;
}

function update() {
  const value = props.value || {};
  const text = (value.lines || []).join("\n");
  root.hidden = !text && !value.note;
  find(".note").textContent = value.note || "";
  if (lines.textContent === text) return;
  const atEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 24;
  lines.textContent = text;
  if (atEnd) follow();
}

root.addEventListener("toggle", follow);
watch("value", update);
update();
