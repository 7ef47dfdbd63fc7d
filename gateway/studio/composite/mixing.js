// The mixing of a subject with its background, by the rules of the server's renderer: services/background/mixing.

const GRID = 96; // cells of the grid of means, in each direction
const LUMA = 255 / 219; // factor from the server's limited range of luma to 0 to 255
const CHROMA = 255 / 224; // the same for U and V
const MOST_GAIN = 1.35;
const SHIFT = 0.35; // share of the difference between both means that the offset removes
const MOST_SHIFT = [12 * LUMA, 8 * CHROMA, 8 * CHROMA]; // largest offsets of luma, U and V, in levels
const LEAST_SPREAD = LUMA;
const LEAST_COVERED = 0.002; // mean of alpha below which no subject is visible
const LEAST_LIGHT = 2.5 / 255; // least light on an edge, 0 to 1; less is noise
const UNCHANGED = [0, 1, 2].map(() => ({ gain: 1, middle: 0, offset: 0 }));
const GAMMA = 2.4;
const LINEAR = Float32Array.from({ length: 256 }, (_, level) => (level / 255) ** GAMMA);

/**
 * Return the changes of luma, U and V that match subject and background. They are [{gain, middle, offset}]; null if no subject is visible.
 * `subject`, `scene`: from `gridOf`; `amount`: 0 to 1.
 */
export function matchOf(subject, scene, amount) {
  if (subject.covered < LEAST_COVERED) return null;
  return [0, 1, 2].map((plane) => {
    const [mean, spread] = measured(subject, plane);
    const [target, targetSpread] = measured(scene, plane);
    const full = clamp(targetSpread / Math.max(spread, LEAST_SPREAD), 1 / MOST_GAIN, MOST_GAIN);
    const gain = plane === 0 ? 1 + (full - 1) * amount * 0.5 : 1;
    return { gain, middle: mean, offset: clamp((target - mean) * SHIFT, -MOST_SHIFT[plane], MOST_SHIFT[plane]) * amount };
  });
}

/**
 * Put a subject over a background, into `out` (RGBA). `match`: from `matchOf`, or null. `glow`: the blurred background, and `spill`: how much
 * of it reaches each pixel, 0 to 255, or null for both; `wrap`: 0 to 1. `isLinear`: mixes light, not signal values.
 */
export function mixed(out, { picture, background, alpha, match, glow, spill, wrap, isLinear }) {
  const [outPixels, backgroundPixels] = [pixelsOf(out), pixelsOf(background)];
  const [lumaOf, uOf, vOf] = match ?? UNCHANGED;
  const [lumaAdd, uAdd, vAdd] = [lumaOf, uOf, vOf].map(({ gain, middle, offset }) => middle * (1 - gain) + offset);
  for (let pixel = 0; pixel < alpha.length; pixel += 1) {
    if (alpha[pixel] === 0) {
      outPixels[pixel] = backgroundPixels[pixel];
      continue;
    }
    const at = 4 * pixel;
    const share = alpha[pixel] / 255;
    let red = picture[at];
    let green = picture[at + 1];
    let blue = picture[at + 2];
    if (match) {
      const before = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
      const luma = before * lumaOf.gain + lumaAdd;
      const u = ((blue - before) / 1.8556 + 128) * uOf.gain + uAdd - 128;
      const v = ((red - before) / 1.5748 + 128) * vOf.gain + vAdd - 128;
      red = luma + 1.5748 * v;
      blue = luma + 1.8556 * u;
      green = (luma - 0.2126 * red - 0.0722 * blue) / 0.7152;
    }
    const spilled = glow ? ((spill[pixel] * alpha[pixel]) / 65025) * wrap : 0;
    const light = spilled < LEAST_LIGHT ? 0 : spilled;
    out[at] = lit(over(clamp(red, 0, 255), background[at], share, isLinear), glow, at, light);
    out[at + 1] = lit(over(clamp(green, 0, 255), background[at + 1], share, isLinear), glow, at + 1, light);
    out[at + 2] = lit(over(clamp(blue, 0, 255), background[at + 2], share, isLinear), glow, at + 2, light);
    out[at + 3] = 255;
  }
}

/** Return an RGBA picture's pixels, each as one number, in the same memory. */
function pixelsOf({ buffer, byteOffset, length }) {
  return new Uint32Array(buffer, byteOffset, length / 4);
}

function lit(value, glow, at, light) {
  return light ? value + (glow[at] - value) * light : value;
}

function over(front, back, share, isLinear) {
  if (!isLinear || share <= 0 || share >= 1) return back + (front - back) * share;
  return 255 * (LINEAR[Math.round(back)] * (1 - share) + LINEAR[Math.round(front)] * share) ** (1 / GAMMA);
}

/** Return the nearness of a background's pixels without a depth estimate. Lower rows are nearer. One byte per pixel. */
export function nearnessOfRows(width, height) {
  return Uint8Array.from({ length: width * height }, (_, pixel) => (255 * Math.floor(pixel / width)) / Math.max(1, height - 1));
}

/** Return the median of an array of bytes. */
export function medianOf(values) {
  const counts = new Uint32Array(256);
  for (const value of values) counts[value] += 1;
  let [below, level] = [counts[0], 0];
  while (2 * below < values.length) below += counts[(level += 1)];
  return level;
}

/**
 * Draw a background as seen by a camera that moved sideways, like services/background/parallax. The background is larger than the frame.
 * Its middle depth moves by `reach` pixels at `camera` 1, the nearest parts by `depth` times that more than the farthest. `picture`: RGBA,
 * `near`: 0 (far) to 255, both of `[width, height]`; `middle`: the median of `near`; `out`: RGBA of `[outWidth, outHeight]`, from the middle.
 * Two steps find the part that comes to each pixel.
 */
export function moved(out, [outWidth, outHeight], { picture, near, middle, size: [width, height] }, { camera, depth, reach }) {
  const [outPixels, pixels] = [pixelsOf(out), pixelsOf(picture)];
  const shifts = Float64Array.from({ length: 256 }, (_, level) => camera * reach * (1 + depth * ((level - middle) / 255)));
  const [left, top] = [Math.floor((width - outWidth) / 2), Math.floor((height - outHeight) / 2)];
  for (let y = 0; y < outHeight; y += 1) {
    const row = (y + top) * width;
    for (let x = 0; x < outWidth; x += 1) {
      const first = clamp(Math.round(x + left - shifts[near[row + x + left]]), 0, width - 1);
      const from = clamp(Math.round(x + left - shifts[near[row + first]]), 0, width - 1);
      outPixels[y * outWidth + x] = pixels[row + from];
    }
  }
}

/**
 * Return the means of a picture in the cells of a grid. They are {weights, planes: luma, U and V (BT.709, 0 to 255), covered: mean of the
 * weights}. `picture`: RGBA; `alpha`: 0 to 255 for each pixel, the weights; null: all weigh the same.
 */
export function gridOf(picture, width, height, alpha = null) {
  const [count, red, green, blue, weights] = [0, 1, 2, 3, 4].map(() => new Float64Array(GRID * GRID));
  const starts = Array.from({ length: GRID + 1 }, (_, column) => Math.ceil((column * width) / GRID));
  for (let y = 0; y < height; y += 1) {
    for (let column = 0; column < GRID; column += 1) {
      const cell = Math.floor((y * GRID) / height) * GRID + column;
      const [first, end] = [y * width + starts[column], y * width + starts[column + 1]];
      let [r, g, b, weight] = [0, 0, 0, 0]; // sums of this row's part: faster than those of the grid
      for (let pixel = first; pixel < end; pixel += 1) {
        r += picture[4 * pixel];
        g += picture[4 * pixel + 1];
        b += picture[4 * pixel + 2];
        if (alpha) weight += alpha[pixel];
      }
      count[cell] += end - first;
      red[cell] += r;
      green[cell] += g;
      blue[cell] += b;
      weights[cell] += alpha ? weight / 255 : end - first;
    }
  }
  const planes = [0, 1, 2].map(() => new Float64Array(GRID * GRID));
  for (let cell = 0; cell < count.length; cell += 1) {
    const pixels = count[cell] || 1;
    const luma = (0.2126 * red[cell] + 0.7152 * green[cell] + 0.0722 * blue[cell]) / pixels;
    planes[0][cell] = luma;
    planes[1][cell] = (blue[cell] / pixels - luma) / 1.8556 + 128;
    planes[2][cell] = (red[cell] / pixels - luma) / 1.5748 + 128;
    weights[cell] /= pixels;
  }
  return { weights, planes, covered: sum(weights) / count.length };
}

/** Return the weighted mean and spread of a plane of a grid. */
function measured({ weights, planes }, plane) {
  const values = planes[plane];
  let [total, mean, square] = [0, 0, 0];
  for (let cell = 0; cell < values.length; cell += 1) {
    total += weights[cell];
    mean += weights[cell] * values[cell];
  }
  mean /= total;
  for (let cell = 0; cell < values.length; cell += 1) square += weights[cell] * (values[cell] - mean) ** 2;
  return [mean, Math.sqrt(square / total)];
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}
