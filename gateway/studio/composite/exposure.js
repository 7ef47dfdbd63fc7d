// Measurement of a frame's exposure on its subject, by the rules of the server: services/background/analysis/exposure.py.

const INSIDE = 200; // level of the matte above which a pixel is inside the subject
const LEAST_PIXELS = 20;
const [PER_E, BINS, BLUR, BLUR_REACH, REACH] = [32, 177, 2, 8, 18]; // histogram of logarithms: bins per factor e, bins, blur, its reach, largest shift
const [NOISE_LEVELS, NOISE_SHARE] = [2, 0.01];
const [LEAST, MOST] = [0.6, 1.6];
const SAMPLES = 96; // frames of a shot from which its median is taken
const NEAR = 32; // frames of the window around a frame that are measured
const VIDEO_LEVELS = 219 / 255; // factor from full-range luma to the server's levels above black
const KERNEL = Array.from({ length: 2 * BLUR_REACH + 1 }, (_, at) => Math.exp(-((at - BLUR_REACH) ** 2) / (2 * BLUR * BLUR)));

/** Choose the frames to measure for the exposure of frame `number`: {regular, near}. `[first, end]`: the shot's first frame and the one after its last; `window`: number of averaged frames. */
export function framesToMeasure(number, [first, end], window) {
  const step = Math.max(1, Math.ceil((end - first) / SAMPLES));
  const regular = Array.from({ length: Math.ceil((end - first) / step) }, (_, index) => first + index * step);
  const before = number - Math.floor(window / 2);
  const count = Math.min(window, NEAR);
  const near = Array.from({ length: count }, (_, index) => Math.min(Math.max(before + Math.round((index * (window - 1)) / Math.max(1, count - 1)), first), end - 1));
  return { regular, near };
}

/**
 * Count a subject's luma in a histogram of sum 1. Returns null if too little of the subject is visible. `picture`, `matte`: RGBA of `width` x
 * `height` pixels. Pixels of the soft edge are left out.
 */
export function tonesOf(picture, matte, width, height) {
  const isIn = (x, y) => x < 0 || y < 0 || x >= width || y >= height || matte[4 * (y * width + x)] > INSIDE;
  const isInside = (x, y) => [-1, 0, 1].every((down) => [-1, 0, 1].every((across) => isIn(x + across, y + down)));
  const counts = new Float64Array(BINS);
  let pixels = 0;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = 4 * (y * width + x);
      if (matte[at] <= INSIDE || !isInside(x, y)) continue;
      const luma = 0.2126 * picture[at] + 0.7152 * picture[at + 1] + 0.0722 * picture[at + 2];
      counts[Math.min(BINS - 1, Math.round(PER_E * Math.log(Math.max(1, luma * VIDEO_LEVELS))))] += 1;
      pixels += 1;
    }
  }
  if (pixels < LEAST_PIXELS) return null;
  const blurred = counts.map((_, bin) => KERNEL.reduce((total, weight, at) => total + weight * (counts[bin + at - BLUR_REACH] ?? 0), 0));
  const total = blurred.reduce((sum, count) => sum + count, 0);
  return blurred.map((count) => count / total);
}

/**
 * Compute a frame's exposure relative to its shot's median. Returns 1 if no subject was measured. `tones`: number of a frame -> its histogram or
 * null; `frames`: from `framesToMeasure`.
 */
export function exposureFrom(tones, { regular, near }) {
  const brightness = brightnessOf(tones);
  const measured = regular.filter((number) => brightness.has(number)).map((number) => brightness.get(number));
  if (!measured.length) return 1;
  const level = medianOf(measured);
  const places = [...brightness.keys()].sort((a, b) => a - b);
  const ratios = near.map((number) => Math.min(Math.max(valueAt(number, places, brightness) / level, LEAST), MOST));
  return withoutNoise(ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length, Math.max(NOISE_LEVELS / level, NOISE_SHARE));
}

/** Multiply the exposure of an RGBA picture by `ratio`, in place. */
export function expose(pixels, ratio) {
  if (Math.abs(ratio - 1) < 1 / 512) return;
  const levels = Uint8ClampedArray.from({ length: 256 }, (_, level) => level * ratio);
  for (let at = 0; at < pixels.length; at += 4) for (const channel of [at, at + 1, at + 2]) pixels[channel] = levels[pixels[channel]];
}

/** Measure the brightness of frames that show the subject. Returns number -> levels. Each histogram is shifted to where it agrees best with that of median brightness. */
function brightnessOf(tones) {
  const frames = [...tones].filter(([, counts]) => counts).map(([number, counts]) => ({ number, root: counts.map(Math.sqrt), mean: counts.reduce((sum, count, bin) => sum + count * bin, 0) }));
  if (!frames.length) return new Map();
  const middle = [...frames].sort((a, b) => a.mean - b.mean)[Math.floor(frames.length / 2)];
  return new Map(frames.map(({ number, root }) => [number, Math.exp((middle.mean + shiftOf(middle.root, root)) / PER_E)]));
}

/** Measure how far a histogram is shifted against a reference, in bins. Both are square roots. */
function shiftOf(reference, root) {
  const agreement = Array.from({ length: 2 * REACH + 1 }, (_, shift) => reference.reduce((total, value, bin) => total + value * (root[bin + shift - REACH] ?? 0), 0));
  const best = agreement.indexOf(Math.max(...agreement));
  if (best === 0 || best === agreement.length - 1) return best - REACH;
  const [before, peak, after] = agreement.slice(best - 1, best + 2);
  const bend = before - 2 * peak + after;
  return best - REACH + (bend < 0 ? (0.5 * (before - after)) / bend : 0);
}

/** Interpolate the value at a number between its measured neighbours. */
function valueAt(number, places, values) {
  const next = places.find((place) => place >= number) ?? places.at(-1);
  const before = places.findLast((place) => place <= number) ?? next;
  const share = next > before ? (number - before) / (next - before) : 0;
  return values.get(before) * (1 - share) + values.get(next) * share;
}

function medianOf(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/** Replace a ratio near 1 with 1. Ratios that differ by `noise` to twice `noise` are drawn towards 1. */
function withoutNoise(ratio, noise) {
  const size = Math.abs(ratio - 1);
  return 1 + Math.sign(ratio - 1) * (size > 2 * noise ? size : Math.max(2 * (size - noise), 0));
}
