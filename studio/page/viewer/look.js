// What a link says of a viewer: the texts of studio.session.link.look_values, told to the page and taken from the server.

import { mark, pane, root, size, state } from "./state.js";

let wanted = null;  // a look whose pictures have not all arrived yet

function lookNow() {
  const look = { view: state.mode, a: state.a, b: state.b };
  if (state.zoom === null) return look;
  const [width, height] = size(), [x, y] = state.centre || [width / 2, height / 2];
  return { ...look, zoom: state.zoom.toPrecision(4), x: x.toFixed(1), y: y.toFixed(1) };
}

export function tellLook() { if (!wanted) mark(root, "data-look", JSON.stringify(lookNow())); }

export function takeLook(look) {
  wanted = { ...look };
  if (["split", "flip", "grid"].includes(look.view)) state.mode = look.view;
  if (!look.zoom) return;
  state.zoom = Number(look.zoom);
  state.centre = look.x && look.y ? [Number(look.x), Number(look.y)] : null;
}

// Results arrive one after the other: what was asked for is shown as soon as it is there.
export function followLook() {
  if (!wanted) return;
  for (const side of ["a", "b"]) {
    if (!wanted[side]) delete wanted[side];
    else if (pane(wanted[side])) {
      state[side] = wanted[side];
      state.picked = true;
      delete wanted[side];
    }
  }
  if (!("a" in wanted || "b" in wanted)) wanted = null;
}

export function forgetLook() { wanted = null; }
