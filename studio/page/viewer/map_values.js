// The arithmetic of maps and of numbers for a part of the picture; runs in the background and knows no page.
// SSIM as training/evaluation/metrics.py: Z. Wang et al., IEEE TIP 13(4), 2004; 11-tap Gaussian window (sigma 1.5), mean of R, G and B.
//
// A piece of picture is RGBA bytes of `outer` = { x, y, width, height }, picture coordinates. Values are wanted for `inner`, which lies
// inside it; what `outer` has more is what windows and neighbours need. Pieces end only where the picture does.

export function mapMathematics() {
  const PEAK = 255, MARGIN = 5, BLOCK = 8;
  const TAPS = gaussian(1.5);

  // Weights of the middle and of the five on either side, summing to 1.
  function gaussian(sigma) {
    const half = Array.from({ length: MARGIN + 1 }, (_, i) => Math.exp(-(i * i) / (2 * sigma * sigma)));
    const sum = half[0] + 2 * half.slice(1).reduce((total, tap) => total + tap, 0);
    return half.map((tap) => tap / sum);
  }

  // ---------------------------------------------------------------- per pixel, mean of R, G and B

  const PER_PIXEL = {
    signed: (d0, d1, d2) => (d0 + d1 + d2) / 3,
    absolute: (d0, d1, d2) => (Math.abs(d0) + Math.abs(d1) + Math.abs(d2)) / 3,
    squared: (d0, d1, d2) => (d0 * d0 + d1 * d1 + d2 * d2) / 3,
  };

  function differences(kind, pixels, others) {
    const difference = PER_PIXEL[kind], values = new Float32Array(pixels.length / 4);
    for (let i = 0, at = 0; i < values.length; i++, at += 4) {
      values[i] = difference(pixels[at] - others[at], pixels[at + 1] - others[at + 1], pixels[at + 2] - others[at + 2]);
    }
    return values;
  }

  // ---------------------------------------------------------------- SSIM

  // Gaussian-weighted mean under every whole window: 10 rows and columns fewer.
  function windowMean(plane, width, height) {
    const columns = width - 2 * MARGIN, rows = height - 2 * MARGIN;
    const [t0, t1, t2, t3, t4, t5] = TAPS;
    const across = new Float32Array(columns * height), mean = new Float32Array(columns * rows);
    for (let y = 0; y < height; y++) {
      for (let x = 0, i = y * width + MARGIN, o = y * columns; x < columns; x++, i++, o++) {
        across[o] = t0 * plane[i] + t1 * (plane[i - 1] + plane[i + 1]) + t2 * (plane[i - 2] + plane[i + 2])
          + t3 * (plane[i - 3] + plane[i + 3]) + t4 * (plane[i - 4] + plane[i + 4]) + t5 * (plane[i - 5] + plane[i + 5]);
      }
    }
    const c = columns, c2 = 2 * c, c3 = 3 * c, c4 = 4 * c, c5 = 5 * c;
    for (let o = 0, i = c5; o < mean.length; o++, i++) {
      mean[o] = t0 * across[i] + t1 * (across[i - c] + across[i + c]) + t2 * (across[i - c2] + across[i + c2])
        + t3 * (across[i - c3] + across[i + c3]) + t4 * (across[i - c4] + across[i + c4]) + t5 * (across[i - c5] + across[i + c5]);
    }
    return mean;
  }

  // SSIM of one channel under every whole window; moments are taken around mid-gray for precision.
  function addSimilarity(total, channel, pixels, others, width, height) {
    const count = width * height;
    const first = new Float32Array(count), second = new Float32Array(count);
    const squares = new Float32Array(count), products = new Float32Array(count);
    for (let i = 0, at = channel; i < count; i++, at += 4) {
      const a = pixels[at] - 128, b = others[at] - 128;
      first[i] = a;
      second[i] = b;
      squares[i] = a * a + b * b;
      products[i] = a * b;
    }
    const [meanA, meanB, meanSquares, meanProducts] = [first, second, squares, products].map((plane) => windowMean(plane, width, height));
    const luminance = (0.01 * PEAK) ** 2, contrast = (0.03 * PEAK) ** 2;
    for (let i = 0; i < total.length; i++) {
      const a = meanA[i], b = meanB[i], up = a + 128, vp = b + 128;
      const covariance = meanProducts[i] - a * b, variances = meanSquares[i] - a * a - b * b;
      total[i] += (2 * up * vp + luminance) / (up * up + vp * vp + luminance) * (2 * covariance + contrast) / (variances + contrast) / 3;
    }
  }

  function similarities(pixels, others, width, height) {
    const total = new Float32Array(Math.max(0, width - 2 * MARGIN) * Math.max(0, height - 2 * MARGIN));
    if (total.length) for (const channel of [0, 1, 2]) addSimilarity(total, channel, pixels, others, width, height);
    return total;
  }

  // The map for `inner`; not a number within 5 pixels of the picture's edge, where no whole window fits.
  function similarityMap({ pixels, others, outer, inner }) {
    const similarity = similarities(pixels, others, outer.width, outer.height);
    const values = new Float32Array(inner.width * inner.height).fill(NaN);
    const columns = outer.width - 2 * MARGIN, rows = outer.height - 2 * MARGIN;
    const left = inner.x - outer.x - MARGIN, top = inner.y - outer.y - MARGIN;
    const x0 = Math.max(0, -left), x1 = Math.min(inner.width, columns - left);
    for (let y = Math.max(0, -top); y < Math.min(inner.height, rows - top); y++) {
      if (x1 > x0) values.set(similarity.subarray((y + top) * columns + x0 + left, (y + top) * columns + x1 + left), y * inner.width + x0);
    }
    return values;
  }

  // ---------------------------------------------------------------- blockiness

  function lumaOf(pixels) {
    const luma = new Float32Array(pixels.length / 4);
    for (let i = 0, at = 0; i < luma.length; i++, at += 4) luma[i] = 0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2];
    return luma;
  }

  // How much the mean step across one edge of a block exceeds the mean of the steps right beside it, in gray levels of luma; 0 or more.
  function edgeStrength(luma, at, across, along, count, hasBefore, hasAfter) {
    let step = 0, before = 0, after = 0;
    for (let i = 0; i < count; i++, at += along) {
      step += Math.abs(luma[at] - luma[at - across]);
      if (hasBefore) before += Math.abs(luma[at - across] - luma[at - 2 * across]);
      if (hasAfter) after += Math.abs(luma[at + across] - luma[at]);
    }
    const sides = hasBefore + hasAfter;
    return Math.max(0, (step - (sides ? (before + after) / sides : 0)) / count);
  }

  // Writes the strength of every edge of one direction onto the pixels on both sides of it.
  // across and along are { length, stride, first }: `first` is where the first edge, or the first block beside it, begins.
  function markEdges(luma, values, across, along) {
    for (let edge = across.first; edge < across.length; edge += BLOCK) {
      if (edge < 1) continue;
      for (let start = along.first; start < along.length; start += BLOCK) {
        const from = Math.max(start, 0), count = Math.min(start + BLOCK, along.length) - from;
        if (count < 1) continue;
        let at = edge * across.stride + from * along.stride;
        const strength = edgeStrength(luma, at, across.stride, along.stride, count, edge >= 2, edge + 1 < across.length);
        for (let i = 0; i < count; i++, at += along.stride) {
          values[at] = Math.max(values[at], strength);
          values[at - across.stride] = Math.max(values[at - across.stride], strength);
        }
      }
    }
  }

  function blockiness({ pixels, outer, inner, phase }) {
    const luma = lumaOf(pixels), all = new Float32Array(luma.length);
    const first = (start, offset) => (((offset - start) % BLOCK) + BLOCK) % BLOCK - BLOCK;
    const columns = { length: outer.width, stride: 1, first: first(outer.x, phase.column) };
    const rows = { length: outer.height, stride: outer.width, first: first(outer.y, phase.row) };
    markEdges(luma, all, columns, rows);
    markEdges(luma, all, rows, columns);
    const values = new Float32Array(inner.width * inner.height);
    for (let y = 0; y < inner.height; y++) {
      const at = (y + inner.y - outer.y) * outer.width + inner.x - outer.x;
      values.set(all.subarray(at, at + inner.width), y * inner.width);
    }
    return values;
  }

  // ---------------------------------------------------------------- smaller maps

  // Every square of side × side values as their mean, or as the strongest of them; values that are no number do not count.
  function reduced(values, width, height, side, strongest) {
    if (side === 1) return values;
    const columns = Math.ceil(width / side), rows = Math.ceil(height / side);
    const sums = new Float64Array(columns * rows), counts = new Uint32Array(columns * rows);
    for (let y = 0, i = 0; y < height; y++) {
      for (let x = 0; x < width; x++, i++) {
        const value = values[i], o = Math.floor(y / side) * columns + Math.floor(x / side);
        if (Number.isNaN(value)) continue;
        sums[o] = strongest ? Math.max(sums[o], value) : sums[o] + value;
        counts[o]++;
      }
    }
    return Float32Array.from(sums, (sum, i) => (counts[i] === 0 ? NaN : strongest ? sum : sum / counts[i]));
  }

  // ---------------------------------------------------------------- tasks

  return {
    // A map's values for `inner`, row by row, reduced `side` times.
    values(piece) {
      const { kind, inner, side } = piece;
      const whole = kind === "ssim" ? similarityMap(piece) : kind === "blockiness" ? blockiness(piece)
        : differences(kind, piece.pixels, piece.others);
      const result = reduced(whole, inner.width, inner.height, side, kind === "blockiness");
      return { result, transfer: [result.buffer] };
    },
    // Sum of the squared differences over R, G and B.
    squaredError({ pixels, others }) {
      let sum = 0;
      for (let at = 0; at < pixels.length; at += 4) {
        const d0 = pixels[at] - others[at], d1 = pixels[at + 1] - others[at + 1], d2 = pixels[at + 2] - others[at + 2];
        sum += d0 * d0 + d1 * d1 + d2 * d2;
      }
      return { result: sum };
    },
    // Sum of the SSIM map over all whole windows inside the piece.
    similarity({ pixels, others, outer }) {
      let sum = 0;
      for (const value of similarities(pixels, others, outer.width, outer.height)) sum += value;
      return { result: sum };
    },
  };
}
