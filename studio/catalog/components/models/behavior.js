// Sorts the table of models, says which model shall be tried or withdrawn, and puts a crop beside the original.
//
// The value is the markup that studio.catalog.view.models_markup makes; it may be replaced at any time, so that events are heard on the
// whole component. Triggers `tried` and `withdrawn` with {name}. Withdrawing was confirmed.

import { find, findAll, targetOf } from "../../../page/elements.js";

// ---------------------------------------------------------------- sorting

/** @param {HTMLElement} body */
function sortValue(body, column) {
  const cell = body.querySelector("tr").children[column];
  return cell.dataset.sort;
}

function compared(one, other, direction) {
  if (one === undefined || other === undefined) return Number(one === undefined) - Number(other === undefined);  // unknown is last
  const [first, second] = [Number(one), Number(other)];
  const order = Number.isNaN(first) || Number.isNaN(second) ? one.localeCompare(other) : first - second;
  return direction === "ascending" ? order : -order;
}

/** @param {HTMLElement} heading */
function sortBy(heading) {
  const before = heading.getAttribute("aria-sort");
  const other = before === "ascending" ? "descending" : "ascending";
  const direction = before === "none" ? heading.dataset.first : other;
  const headings = [...heading.parentElement.children];
  headings.forEach((each) => each.hasAttribute("aria-sort") && each.setAttribute("aria-sort", each === heading ? direction : "none"));
  const column = headings.indexOf(heading);
  const bodies = findAll(".models-table > tbody");
  bodies.sort((one, next) => compared(sortValue(one, column), sortValue(next, column), direction));
  bodies.forEach((body) => body.parentElement.append(body));
}

// ---------------------------------------------------------------- crops

/** @param {HTMLElement} button */
function choose(button) {
  findAll(".crop-list button").forEach((each) => each.setAttribute("aria-pressed", String(each === button)));
  /** @type {HTMLImageElement} */
  const large = find(".crop-pair .chosen");
  const title = button.querySelector(".crop-title").textContent;
  large.src = button.querySelector("img").src;
  large.alt = title;
  large.parentElement.querySelector("figcaption").textContent = title + ", " + button.querySelector(".crop-psnr").textContent;
}

// ---------------------------------------------------------------- all presses

element.addEventListener("click", (event) => {
  const button = targetOf(event).closest("button");
  if (!button) return;
  /** @type {HTMLElement} */
  const body = button.closest("tbody[data-name]");
  if (button.closest("th[aria-sort]")) sortBy(button.parentElement);
  else if (button.closest(".crop-list")) choose(button);
  else if (body && button.matches(".try")) trigger("tried", { name: body.dataset.name });
  else if (body && button.matches(".danger")) trigger("withdrawn", { name: body.dataset.name });
});
