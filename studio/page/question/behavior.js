// Asks one question over the page, whatever place is shown. The browser's own dialog keeps the focus inside and gives it back; Escape is no.
//
// The document's studio-ask carries {words, yes, no: what the two buttons say, then: called after yes, otherwise: called after no}.

import { find } from "../elements.js";

/** @type {HTMLDialogElement} */
const dialog = find(".question");
let asked = null;

function answer(isYes) {
  const question = asked;
  asked = null;
  dialog.close();
  const act = question && (isYes ? question.then : question.otherwise);
  if (act) act();
}

find(".yes").addEventListener("click", () => answer(true));
find(".no").addEventListener("click", () => answer(false));
dialog.addEventListener("cancel", (event) => {
  event.preventDefault();
  answer(false);
});
dialog.addEventListener("keydown", (event) => event.stopPropagation());  // the page's own keys mean nothing meanwhile
document.addEventListener("studio-ask", (event) => {
  const question = /** @type {CustomEvent} */ (event).detail;
  if (asked) answer(false);
  asked = question;
  find(".words").textContent = question.words;
  find(".yes").textContent = question.yes;
  find(".no").textContent = question.no;
  dialog.showModal();
  find(".no").focus();
});
