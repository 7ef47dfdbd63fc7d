// The sound of a clip along its curve. Its pitch stays, or follows the speed as on a tape. Freezes are silent.

import { withOwnPitch } from "./pitch.js";

const LONGEST_S = 600;

/** Return an AudioBuffer of the ramped sound. `clip`: the AudioBuffer of the source; `ramp`: converts output time to source time; `keepsPitch`: whether the pitch stays. */
export function rampedSound(clip, ramp, keepsPitch) {
  const rate = clip.sampleRate;
  const length = Math.max(1, Math.min(Math.round(ramp.duration * rate), LONGEST_S * rate));
  const buffer = new AudioBuffer({ length, numberOfChannels: clip.numberOfChannels, sampleRate: rate });
  const channels = Array.from({ length: clip.numberOfChannels }, (_, channel) => clip.getChannelData(channel));
  const isRamped = ramp.min !== 1 || ramp.max !== 1;
  const made = keepsPitch && isRamped ? withOwnPitch(channels, (out) => ramp.sourceAt(out), { length, rate }) : onTape(channels, ramp, { length, rate });
  made.forEach((samples, channel) => buffer.copyToChannel(samples, channel));
  return buffer;
}

/** Play a sound along a ramp, with a pitch that follows the speed. Returns its channels. */
function onTape(channels, ramp, { length, rate }) {
  const places = placesOf(ramp, length, rate);
  return channels.map((from) => {
    const to = new Float32Array(length);
    for (let index = 0; index < length; index += 1) {
      const place = places[index];
      if (place < 0) continue; // a freeze
      const whole = Math.floor(place);
      const part = place - whole;
      to[index] = (from[whole] ?? 0) * (1 - part) + (from[whole + 1] ?? 0) * part;
    }
    return to;
  });
}

/** Return the source position of each output sample, in samples; -1 in freezes. Exact every few samples, interpolated linearly between them. */
function placesOf(ramp, length, rate) {
  const STEP = 64;
  const places = new Float64Array(length);
  let before = ramp.sourceAt(0) * rate;
  for (let start = 0; start < length; start += STEP) {
    const after = ramp.sourceAt((start + STEP) / rate) * rate;
    const slope = (after - before) / STEP;
    for (let index = start; index < Math.min(start + STEP, length); index += 1) {
      places[index] = slope > 1e-9 ? before + slope * (index - start) : -1;
    }
    before = after;
  }
  return places;
}
