// What a link says of a viewer: the texts of studio.session.link.look_values, told to the page and taken from the server.

import { paneWith, root, setAttribute, size, state } from "./state.js";

let awaited = null;  // a look whose pictures have not all arrived yet

function lookNow() {
  const look = { view: state.mode, a: state.a, b: state.b };
  if (state.zoom === null) return look;
  const [width, height] = size(), [x, y] = state.center || [width / 2, height / 2];
  return { ...look, zoom: state.zoom.toPrecision(4), x: x.toFixed(1), y: y.toFixed(1) };
}

export function publishLook() {
  if (!awaited) setAttribute(root, "data-look", JSON.stringify(lookNow()));
}

export function takeLook(look) {
  awaited = { ...look };
  if (["split", "flip", "grid"].includes(look.view)) state.mode = look.view;
  if (!look.zoom) return;
  state.zoom = Number(look.zoom);
  state.center = look.x && look.y ? [Number(look.x), Number(look.y)] : null;
}

// Results arrive one after the other: what was asked for is shown as soon as it is there.
export function followLook() {
  if (!awaited) return;
  for (const side of ["a", "b"]) {
    if (!awaited[side]) delete awaited[side];
    else if (paneWith(awaited[side])) {
      state[side] = awaited[side];
      state.picked = true;
      delete awaited[side];
    }
  }
  if (!("a" in awaited || "b" in awaited)) awaited = null;
}

export function forgetLook() {
  awaited = null;
}
