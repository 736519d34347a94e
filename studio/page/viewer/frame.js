// When the picture is drawn: at most once per frame, asked for by whatever changed something.

import { stillHere } from "./state.js";

export const frame = { count: 0, movedAt: 0, draw: () => {} };  // drawings so far; when the view last moved; set by drawing.js

let waiting = false;

export function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    if (stillHere()) frame.draw();
  });
}
