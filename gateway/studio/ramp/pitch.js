// Sound at another speed with its own pitch (WSOLA). Short grains of the source overlap where they fit best.
// W. Verhelst and M. Roelands, "An overlap-add technique based on waveform similarity", ICASSP 1993. Grains are placed at absolute times here,
// so that no delay builds up, and they are shorter where the sound is slow, so that none is heard more than LATEST_S from its time.

const GRAIN_S = 0.04;
const SHORTEST_S = 0.006;
const LATEST_S = 0.03;
const REACH = 0.2; // how far the best place of a grain may be from its time, as a share of the grain
const COMPARED_HZ = 6000; // sample rate at which grains are compared
const LEAST_WEIGHT = 0.3; // sum of the grains' weights below which the sound fades out
const STILL = 1e-3; // speed below which the picture is frozen: grains that touch a freeze are left out

/**
 * Play a sound at another speed with its own pitch; return its channels. They are Float32Arrays of `length` samples. `channels`: of the
 * source; `sourceAt`: from seconds of output to seconds of source; `rate`: samples per second.
 */
export function withOwnPitch(channels, sourceAt, { length, rate }) {
  const made = channels.map(() => new Float32Array(length));
  const weights = new Float32Array(length);
  const mono = monoOf(channels);
  const coarse = Math.max(1, Math.round(rate / COMPARED_HZ));
  const speedAt = (sample) => {
    const [before, now, after] = [-1, 0, 1].map((step) => sourceAt(Math.max(0, sample / rate + step * SHORTEST_S)));
    const isStill = Math.min(now - before, after - now) <= STILL * SHORTEST_S && sample > 0;
    return isStill ? 0 : (after - before) / (2 * SHORTEST_S);
  };
  let following = null; // source sample that follows the latest grain without a seam, less its place in the output
  let middle = 0; // of the grain, in output samples
  while (middle < length) {
    const speed = speedAt(middle);
    const half = Math.round(halfOf(speed) * rate);
    if (speed > 0) {
      const at = sourceAt(middle / rate) * rate;
      const natural = following === null ? at : following + middle;
      const place = Math.round(bestPlace(mono, { at, natural, half, coarse }));
      add(made, weights, channels, { place, middle, half });
      following = place - middle;
    } else following = null;
    middle += Math.min(half, Math.round(halfOf(speedAt(middle + half)) * rate)); // both overlap by half
  }
  for (const samples of made) for (let index = 0; index < length; index += 1) samples[index] /= Math.max(weights[index], LEAST_WEIGHT);
  return made;
}

/** Return half the length of a grain at a speed, in seconds. A slow grain begins and ends far from its time. */
function halfOf(speed) {
  const wanted = speed < 1 ? (LATEST_S * speed) / (1 - speed) : GRAIN_S;
  return Math.min(Math.max(wanted, SHORTEST_S), GRAIN_S) / 2;
}

/** Return the sample near `at` whose sound is most like the sound at `natural`. */
function bestPlace(mono, { at, natural, half, coarse }) {
  const reach = 2 * half * REACH;
  if (Math.abs(natural - at) <= reach) return natural;
  let [best, most] = [at, -Infinity];
  for (let place = at - reach; place <= at + reach; place += Math.ceil(coarse / 2)) {
    const likeness = likenessOf(mono, [Math.round(place), Math.round(natural)], half, coarse);
    if (likeness > most) [best, most] = [place, likeness];
  }
  return best;
}

/** Return the correlation of the sound at two samples. It is a share of the loudness at the first. */
function likenessOf(mono, [place, natural], half, coarse) {
  let [product, energy] = [0, 1e-9];
  for (let step = -half; step < half; step += coarse) {
    const sample = mono[place + step] ?? 0;
    product += sample * (mono[natural + step] ?? 0);
    energy += sample * sample;
  }
  return product / Math.sqrt(energy);
}

function add(made, weights, channels, { place, middle, half }) {
  const first = Math.max(-half, -middle);
  const last = Math.min(half, weights.length - middle);
  for (let step = first; step < last; step += 1) {
    const weight = 0.5 + 0.5 * Math.cos((Math.PI * step) / half);
    weights[middle + step] += weight;
    for (let channel = 0; channel < made.length; channel += 1) made[channel][middle + step] += weight * (channels[channel][place + step] ?? 0);
  }
}

function monoOf(channels) {
  const mono = Float32Array.from(channels[0]);
  for (const samples of channels.slice(1)) for (let index = 0; index < mono.length; index += 1) mono[index] += samples[index];
  return mono;
}
