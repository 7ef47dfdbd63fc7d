// The lanes below the pictures of the filmstrip: the clip's motion as an area, its sound as bars.

import { readyJson } from "../server/views.js";
import { analysisOf } from "../state/analysis.js";

const LONGEST_S = 180; // longest clip whose motion is measured without a request of the user
const waves = new Map(); // media id -> promise of peaks

/** Return the waveform of a clip: {channels, rate, peaks}; null without sound. */
export function soundOf(api, record) {
  if (!record.media.audio?.length) return Promise.resolve(null);
  if (!waves.has(record.id)) {
    const promise = readyJson(api, `/v1/media/${record.id}/peaks`);
    waves.set(record.id, promise);
    promise.catch(() => waves.delete(record.id));
  }
  return waves.get(record.id);
}

/** Return the motion of a clip, {times, values}, or null. Null: the clip is long or cannot be measured. */
export async function motionOf(store, record) {
  if ((record.media.duration_s ?? Infinity) > LONGEST_S) return null;
  return (await analysisOf(store, record, {}, "low"))?.motion ?? null;
}

/** Return the times of the cuts of a clip, measured with its motion. Returns null if the clip is long or cannot be measured. */
export async function cutsOf(store, record) {
  if ((record.media.duration_s ?? Infinity) > LONGEST_S) return null;
  return (await analysisOf(store, record, {}, "low"))?.cuts ?? null;
}

/** Draw the sound as bars, each as high as its loudest sample. */
export function drawSound(context, { peaks, rate }, duration, [x, y, width, height], colour) {
  const loudest = Math.max(1, ...peaks.flat());
  context.fillStyle = colour;
  for (let column = 0; column < width; column += 2) {
    const from = Math.floor((column / width) * duration * rate);
    const to = Math.max(from + 1, Math.floor(((column + 2) / width) * duration * rate));
    let most = 0;
    for (const channel of peaks) for (let at = from; at < Math.min(to, channel.length); at += 1) most = Math.max(most, channel[at]);
    const tall = Math.max(1, (most / loudest) * height);
    context.fillRect(x + column, y + (height - tall) / 2, 1.4, tall);
  }
}

/** Draw the motion as an area; the strongest motion fills the height. */
export function drawMotion(context, { times, values }, duration, [x, y, width, height], colour) {
  const most = Math.max(1e-6, ...values);
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(x, y + height);
  times.forEach((time, index) => context.lineTo(x + (time / duration) * width, y + height * (1 - Math.sqrt(values[index] / most))));
  context.lineTo(x + width, y + height);
  context.fill();
}
