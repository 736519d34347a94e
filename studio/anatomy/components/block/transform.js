// Arithmetic of one 8 × 8 block, everything in row-major arrays of 64: the cosine transform and its inverse, quantization as
// libjpeg does it, and the bits that run lengths and Huffman codes take.

export const SIDE = 8;
const COUNT = SIDE * SIDE;

const COSINES = Array.from({ length: COUNT }, (_, i) => {
  const frequency = Math.floor(i / SIDE), place = i % SIDE;
  return (frequency ? 0.5 : Math.SQRT1_2 / 2) * Math.cos(((2 * place + 1) * frequency * Math.PI) / 16);
});

// Position k of the zigzag holds the coefficient with this row-major index.
const ZIGZAG = Array.from({ length: COUNT }, (_, i) => i).sort((one, other) => {
  const [a, b] = [one, other].map((i) => [Math.floor(i / SIDE), i % SIDE]);
  const [first, second] = [a[0] + a[1], b[0] + b[1]];
  if (first !== second) return first - second;
  return first % 2 ? a[0] - b[0] : b[0] - a[0];
});

// The pattern that one coefficient stands for, 64 samples.
export function basisPattern(index) {
  const row = Math.floor(index / SIDE), column = index % SIDE;
  return Array.from({ length: COUNT }, (_, i) => COSINES[row * SIDE + Math.floor(i / SIDE)] * COSINES[column * SIDE + (i % SIDE)]);
}

// Samples of dequantized coefficients as a decoder rounds and clips them, 0..255.
export function samplesOf(coefficients) {
  const half = new Float64Array(COUNT), samples = new Array(COUNT);
  for (let row = 0; row < SIDE; row++) for (let x = 0; x < SIDE; x++) {
    let sum = 0;
    for (let u = 0; u < SIDE; u++) sum += coefficients[row * SIDE + u] * COSINES[u * SIDE + x];
    half[row * SIDE + x] = sum;
  }
  for (let y = 0; y < SIDE; y++) for (let x = 0; x < SIDE; x++) {
    let sum = 0;
    for (let v = 0; v < SIDE; v++) sum += half[v * SIDE + x] * COSINES[v * SIDE + y];
    samples[y * SIDE + x] = Math.min(Math.max(Math.floor(sum + 128.5), 0), 255);
  }
  return samples;
}

// libjpeg's table of a quality factor: the standard's table in whole percent, rounded, 1..255.
export function tableAt(standard, quality) {
  const percent = quality < 50 ? Math.floor(5000 / quality) : 200 - 2 * quality;
  return standard.map((step) => Math.min(Math.max(Math.floor((step * percent + 50) / 100), 1), 255));
}

export function rounded(value) { return Math.sign(value) * Math.floor(Math.abs(value) + 0.5) || 0; }

export function quantized(coefficients, table) { return coefficients.map((value, i) => rounded(value / table[i])); }

export function times(integers, table) { return integers.map((value, i) => value * table[i]); }

// Root mean square difference of two blocks in levels; the transform keeps it, so coefficients will do.
export function distance(one, other) {
  return Math.sqrt(one.reduce((sum, value, i) => sum + (value - other[i]) ** 2, 0) / COUNT);
}

function bitLength(value) { return value === 0 ? 0 : 32 - Math.clz32(Math.abs(value)); }

// Bits of a block: `codes` holds the lengths of the Huffman codes, `previous` the DC integer of the block before.
export function bitsOf(integers, previous, codes) {
  const size = bitLength(integers[0] - previous);
  let bits = codes.dc[size] + size, run = 0;
  for (let k = 1; k < COUNT; k++) {
    const value = integers[ZIGZAG[k]];
    if (value === 0) { run += 1; continue; }
    const length = bitLength(value);
    bits += Math.floor(run / 16) * codes.ac[0xf0] + codes.ac[(run % 16) * 16 + length] + length;
    run = 0;
  }
  return bits + (run ? codes.ac[0] : 0);
}
