// Explains technical words: buttons of the class "term" show a note under the pointer, with the focus, or when pressed.
// Screen readers hear the same words as the button's description, without the note.

import { make, targetOf } from "../../page/elements.js";

const HOVER_MILLISECONDS = 150;

export function explainTerms(root, terms) {
  const note = make("div", "term-note");
  const name = make("b");
  const words = make("span");
  const descriptions = make("div");
  const prefix = "words-" + Math.random().toString(36).slice(2) + "-";
  note.popover = "manual";
  note.setAttribute("aria-hidden", "true");
  note.append(name, words);
  descriptions.hidden = true;
  root.append(note, descriptions);
  let shown = null;
  let pinned = false;
  let leaving = 0;

  function termAt(event) {
    return event.target instanceof Element ? event.target.closest(".term") : null;
  }

  function describe() {
    for (const term of root.querySelectorAll(".term:not([aria-describedby])")) {
      const entry = terms()[term.dataset.term];
      const id = prefix + term.dataset.term;
      if (!entry) continue;
      if (!document.getElementById(id)) {
        const description = make("span", "", entry.words);
        description.id = id;
        descriptions.append(description);
      }
      term.setAttribute("aria-describedby", id);
    }
  }

  function place() {
    const box = shown.getBoundingClientRect();
    const { width, height } = note.getBoundingClientRect();
    const left = Math.min(Math.max(8, box.left), innerWidth - width - 8);
    const above = box.bottom + height + 12 > innerHeight && box.top > height + 12;
    note.style.left = left + "px";
    note.style.top = (above ? box.top - height - 6 : box.bottom + 6) + "px";
  }

  function show(term) {
    clearTimeout(leaving);
    const entry = terms()[term.dataset.term];
    if (!entry || shown === term) return;
    hide();
    shown = term;
    name.textContent = entry.name;
    words.textContent = " " + entry.words;
    note.showPopover();
    place();
  }

  function hide() {
    clearTimeout(leaving);
    if (!shown) return;
    note.hidePopover();
    shown = null;
    pinned = false;
  }

  new MutationObserver(describe).observe(root, { childList: true, subtree: true });
  describe();
  root.addEventListener("pointerover", (event) => {
    if (event.pointerType !== "mouse") return;
    if (note.contains(event.target)) clearTimeout(leaving);
    else if (termAt(event)) show(termAt(event));
  });
  root.addEventListener("pointerout", (event) => {
    const inside = note.contains(event.relatedTarget) || (shown && shown.contains(event.relatedTarget));
    if (shown && !pinned && !inside && document.activeElement !== shown) leaving = setTimeout(hide, HOVER_MILLISECONDS);
  });
  root.addEventListener("focusin", (event) => {
    if (termAt(event)) show(termAt(event));
  });
  root.addEventListener("focusout", (event) => {
    if (shown && event.target === shown) hide();
  });
  root.addEventListener("click", (event) => {
    const term = termAt(event);
    if (!term) return;
    if (shown === term && pinned) {
      hide();
      return;
    }
    show(term);
    pinned = true;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !shown) return;
    hide();
    event.stopPropagation();
  }, { capture: true });
  document.addEventListener("pointerdown", (event) => {
    if (shown && !note.contains(targetOf(event)) && termAt(event) !== shown) hide();
  });
  const follow = () => {
    if (!shown) return;
    if (shown.isConnected) place();
    else hide();
  };
  window.addEventListener("scroll", follow, { capture: true, passive: true });
  window.addEventListener("resize", follow, { capture: true, passive: true });
}
