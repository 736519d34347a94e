// Builds elements from what studio.lessons.view sends: a string is text, a list is [tag, attributes, ...children].

const DRAWN = "http://www.w3.org/2000/svg";

function grown(tree, space = null) {
  if (!Array.isArray(tree)) return document.createTextNode(tree);
  const [tag, attributes, ...children] = tree, inside = tag === "svg" ? DRAWN : space;
  const node = inside ? document.createElementNS(inside, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.map((child) => grown(child, inside)));
  return node;
}

export function plant(place, trees) { place.replaceChildren(...trees.map((tree) => grown(tree))); }
