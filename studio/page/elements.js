// Finds and makes the elements of a component.

/**
 * The first element of the component that matches; it is taken for what the place that gets it declares.
 *
 * @template {HTMLElement} Found
 * @param {string} selector
 * @returns {Found}
 */
export function find(selector) {
  return element.querySelector(selector);
}

/**
 * All that match.
 *
 * @template {HTMLElement} Found
 * @param {string} selector
 * @returns {Found[]}
 */
export function findAll(selector) {
  return [...element.querySelectorAll(/** @type {any} */ (selector))];
}

/**
 * A new element with a class and a text.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} [className]
 * @param {string} [text]
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, className = "", text = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.textContent = text;
  return node;
}

/**
 * The element that an event happened on.
 *
 * @param {Event} event
 * @returns {HTMLElement}
 */
export function targetOf(event) {
  return /** @type {HTMLElement} */ (event.target);
}
