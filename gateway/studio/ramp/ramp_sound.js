// The sound of a clip along its curve, as a tape would play it: the pitch follows the speed. Freezes are silent.

const LONGEST_S = 600;

/** Return an AudioBuffer of the ramped sound. `clip`: the AudioBuffer of the source; `ramp`: the clock. */
export function rampedSound(context, clip, ramp) {
  const rate = clip.sampleRate;
  const length = Math.max(1, Math.min(Math.round(ramp.duration * rate), LONGEST_S * rate));
  const made = new AudioBuffer({ length, numberOfChannels: clip.numberOfChannels, sampleRate: rate });
  const places = placesOf(ramp, length, rate);
  for (let channel = 0; channel < clip.numberOfChannels; channel += 1) {
    const from = clip.getChannelData(channel);
    const to = made.getChannelData(channel);
    for (let index = 0; index < length; index += 1) {
      const place = places[index];
      if (place < 0) continue; // a freeze
      const whole = Math.floor(place);
      const part = place - whole;
      to[index] = (from[whole] ?? 0) * (1 - part) + (from[whole + 1] ?? 0) * part;
    }
  }
  return made;
}

/** The source sample of each output sample, -1 in freezes. Exact every few samples, interpolated linearly between them. */
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
