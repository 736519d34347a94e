// Explains technical words: buttons of the class "term" show a note under the pointer, with the focus, or when pressed.
// Screen readers hear the note as the button's description.

const HOVER_MILLISECONDS = 150;
let notes = 0;

function explainTerms(root, terms) {
  const note = document.createElement("div"), name = document.createElement("b"), words = document.createElement("span");
  note.className = "term-note";
  note.id = "term-note-" + element.id + "-" + notes++;
  note.popover = "manual";
  note.setAttribute("role", "tooltip");
  note.append(name, words);
  root.append(note);
  let shown = null, pinned = false, leaving = 0;

  const termAt = (node) => (node instanceof Element ? node.closest(".term") : null);

  function place() {
    const box = shown.getBoundingClientRect(), { width, height } = note.getBoundingClientRect();
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
    term.setAttribute("aria-describedby", note.id);
    note.showPopover();
    place();
  }

  function hide() {
    clearTimeout(leaving);
    if (!shown) return;
    shown.removeAttribute("aria-describedby");
    note.hidePopover();
    shown = null;
    pinned = false;
  }

  root.addEventListener("pointerover", (event) => {
    if (event.pointerType !== "mouse") return;
    if (note.contains(event.target)) clearTimeout(leaving);
    else if (termAt(event.target)) show(termAt(event.target));
  });
  root.addEventListener("pointerout", (event) => {
    const inside = note.contains(event.relatedTarget) || (shown && shown.contains(event.relatedTarget));
    if (shown && !pinned && !inside && document.activeElement !== shown) leaving = setTimeout(hide, HOVER_MILLISECONDS);
  });
  root.addEventListener("focusin", (event) => { if (termAt(event.target)) show(termAt(event.target)); });
  root.addEventListener("focusout", (event) => { if (shown && event.target === shown) hide(); });
  root.addEventListener("click", (event) => {
    const term = termAt(event.target);
    if (!term) return;
    if (shown === term && pinned) { hide(); return; }
    show(term);
    pinned = true;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !shown) return;
    hide();
    event.stopPropagation();
  }, { capture: true });
  document.addEventListener("pointerdown", (event) => {
    if (shown && !note.contains(event.target) && termAt(event.target) !== shown) hide();
  });
  for (const name of ["scroll", "resize"]) {
    window.addEventListener(name, () => { if (shown) (shown.isConnected ? place() : hide()); }, { capture: true, passive: true });
  }
}
