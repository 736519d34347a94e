// Small pictures of 8 × 8 samples, each with its name and how far it is from the first one.

import { SIDE, distance, samplesOf } from "./transform.js";

const strip = element.querySelector(".samples");

export function paint(canvas, samples, lowest = 0, highest = 255) {
  const pen = canvas.getContext("2d");
  const data = pen.createImageData(SIDE, SIDE);
  samples.forEach((value, i) => {
    const level = Math.round((255 * (value - lowest)) / (highest - lowest));
    data.data.set([level, level, level, 255], 4 * i);
  });
  const small = document.createElement("canvas");
  small.width = small.height = SIDE;
  small.getContext("2d").putImageData(data, 0, 0);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(small, 0, 0, canvas.width, canvas.height);
}

function figure() {
  const one = document.createElement("figure");
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 96;
  canvas.setAttribute("role", "img");
  const caption = document.createElement("figcaption");
  caption.append(document.createElement("b"), document.createElement("span"));
  one.append(canvas, caption);
  return one;
}

// Each picture: { id, label, coefficients }; `truth` holds the coefficients that errors are counted from, or null.
export function drawSamples(pictures, component, truth) {
  while (strip.children.length > pictures.length) strip.lastChild.remove();
  while (strip.children.length < pictures.length) strip.append(figure());
  pictures.forEach((one, i) => {
    const box = strip.children[i], [canvas, caption] = box.children;
    const samples = samplesOf(one.coefficients);
    box.dataset.id = one.id;
    paint(canvas, samples);
    const error = truth && one.coefficients !== truth ? "error " + distance(one.coefficients, truth).toFixed(1) : "";
    caption.children[0].textContent = one.label;
    caption.children[1].textContent = error;
    const range = "samples from " + Math.min(...samples) + " to " + Math.max(...samples);
    canvas.setAttribute("aria-label", component + " of this block, " + one.label + ": " + range + (error ? ", " + error + " levels" : ""));
  });
}
