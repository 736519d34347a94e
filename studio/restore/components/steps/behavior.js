// On narrow screens: the three steps are one line above the picture until somebody wants to change them. Lends sliders a keyboard release.
//
// The value: a summary of the settings in plain words.

import { find, targetOf } from "../../../page/elements.js";

const button = find("button");

function isOpen() {
  return button.getAttribute("aria-expanded") === "true";
}

function setOpen(open) {
  document.getElementById("workbench").dataset.open = String(open);
  button.setAttribute("aria-expanded", String(open));
  button.textContent = open ? "Close" : "Change";
}

button.addEventListener("click", () => setOpen(!isOpen()));
document.addEventListener("click", (event) => {
  if (targetOf(event).closest("#restore-button")) setOpen(false);
});

// A Gradio slider reports its release for the mouse only. Arrow keys and Enter in its number box count as well.
document.addEventListener("keyup", (event) => {
  if (targetOf(event).matches("input[type=range]") && /^(Arrow|Page|Home|End)/.test(event.key)) {
    event.target.dispatchEvent(new PointerEvent("pointerup", { bubbles: true }));
  }
});
document.addEventListener("keydown", (event) => {
  if (targetOf(event).matches("input[type=number]") && event.key === "Enter") targetOf(event).blur();
});

function update() {
  find(".summary").textContent = props.value || "";
}

watch("value", update);
update();
