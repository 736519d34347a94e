// Builds elements from what studio.lessons.view sends: a string is text, a list is [tag, attributes, ...children].

const SVG = "http://www.w3.org/2000/svg";

function built(tree, space = null) {
  if (!Array.isArray(tree)) return document.createTextNode(tree);
  const [tag, attributes, ...children] = tree;
  const inside = tag === "svg" ? SVG : space;
  const node = inside ? document.createElementNS(inside, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.map((child) => built(child, inside)));
  return node;
}

export function plant(place, trees) {
  place.replaceChildren(...trees.map((tree) => built(tree)));
}
