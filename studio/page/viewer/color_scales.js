// Color scales that people with any color vision can read, lightness in step with the value; and their legends.
// One for signed values, pale at zero; one for the rest, brighter where pictures differ more.

const DIVERGING = ["#08316e", "#2c6cab", "#76acd3", "#c3dbe8", "#f2f1ef", "#f0d3b3", "#dd9f5a", "#b16213", "#6b3403"];
const SEQUENTIAL = ["#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"];
const STEPS = 255;  // odd, so that zero has a color of its own in the middle

// STEPS colors as the bytes of RGBA pixels, one 32-bit number each.
function colorTable(stops) {
  const parts = stops.map((stop) => [1, 3, 5].map((at) => parseInt(stop.slice(at, at + 2), 16)));
  const bytes = new Uint8Array(4 * STEPS);
  for (let i = 0; i < STEPS; i++) {
    const place = (i / (STEPS - 1)) * (stops.length - 1), low = Math.min(Math.floor(place), stops.length - 2);
    for (let c = 0; c < 3; c++) bytes[4 * i + c] = Math.round(parts[low][c] + (place - low) * (parts[low + 1][c] - parts[low][c]));
    bytes[4 * i + 3] = 255;
  }
  return new Uint32Array(bytes.buffer);
}

const TABLES = { diverging: colorTable(DIVERGING), sequential: colorTable(SEQUENTIAL) };

// What each map shows: its name, its scale from `low` to `high` at a gain, and the unit of its values.
export const MAPS = {
  signed: { name: "difference, signed", scale: "diverging", range: (gain) => [-255 / gain, 255 / gain], unit: "grey levels, mean of R, G, B" },
  absolute: { name: "difference, absolute", scale: "sequential", range: (gain) => [0, 255 / gain], unit: "grey levels, mean of R, G, B" },
  squared: { name: "squared error", scale: "sequential", range: (gain) => [0, (255 / gain) ** 2], unit: "squared grey levels, mean of R, G, B" },
  ssim: { name: "SSIM", scale: "sequential", range: () => [1, 0], unit: "SSIM, 1 is identical, mean of R, G, B" },
  blockiness: { name: "blockiness", scale: "sequential", range: (gain) => [0, 255 / gain], unit: "grey levels of luma" },
};

// Writes the colors of values into RGBA pixels; values that are no number stay clear.
export function colorValues(values, map, gain, pixels) {
  const table = TABLES[MAPS[map].scale], [low, high] = MAPS[map].range(gain), factor = (STEPS - 1) / (high - low);
  const words = new Uint32Array(pixels.buffer);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    words[i] = Number.isNaN(value) ? 0 : table[Math.min(STEPS - 1, Math.max(0, Math.round((value - low) * factor)))];
  }
}

function scaleNumber(value) {
  const size = Math.abs(value);
  const words = size >= 100 || Number.isInteger(size) ? String(Math.round(size)) : size.toFixed(1);
  return (value < 0 ? "−" : "") + words;
}

// Numbers below the legend: its ends, and zero where it lies between them.
export function legendNumbers(map, gain) {
  const [low, high] = MAPS[map].range(gain);
  return (low < 0 ? [low, 0, high] : [low, high]).map(scaleNumber);
}

export function legendGradient(map) {
  return "linear-gradient(to right, " + (MAPS[map].scale === "diverging" ? DIVERGING : SEQUENTIAL).join(", ") + ")";
}
