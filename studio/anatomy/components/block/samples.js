// Small pictures of 8 × 8 samples, each with its name and how far it is from the first one.

import { find, make } from "../../../page/elements.js";
import { SIDE, distance, samplesOf } from "./transform.js";

const strip = find(".samples");

export function paint(canvas, samples, lowest = 0, highest = 255) {
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(SIDE, SIDE);
  samples.forEach((value, i) => {
    const level = Math.round((255 * (value - lowest)) / (highest - lowest));
    image.data.set([level, level, level, 255], 4 * i);
  });
  const small = make("canvas");
  small.width = small.height = SIDE;
  small.getContext("2d").putImageData(image, 0, 0);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(small, 0, 0, canvas.width, canvas.height);
}

function emptyFigure() {
  const figure = make("figure");
  const canvas = make("canvas");
  const caption = make("figcaption");
  canvas.width = canvas.height = 96;
  canvas.setAttribute("role", "img");
  caption.append(make("b"), make("span"));
  figure.append(canvas, caption);
  return figure;
}

// Each picture: { id, label, coefficients }; `truth` holds the coefficients that errors are counted from, or null.
export function drawSamples(pictures, component, truth) {
  while (strip.children.length > pictures.length) strip.lastChild.remove();
  while (strip.children.length < pictures.length) strip.append(emptyFigure());
  pictures.forEach((picture, i) => {
    const figure = strip.children[i];
    const [canvas, caption] = figure.children;
    const samples = samplesOf(picture.coefficients);
    figure.dataset.id = picture.id;
    paint(canvas, samples);
    const error = truth && picture.coefficients !== truth ? "error " + distance(picture.coefficients, truth).toFixed(1) : "";
    caption.children[0].textContent = picture.label;
    caption.children[1].textContent = error;
    const range = "samples from " + Math.min(...samples) + " to " + Math.max(...samples);
    canvas.setAttribute("aria-label", component + " of this block, " + picture.label + ": " + range + (error ? ", " + error + " levels" : ""));
  });
}
