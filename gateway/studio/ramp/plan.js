// The plan of a ramped clip, which says when each frame is shown. It is equal to what `speed-ramp.render` with `nearest` writes.

const ROUNDING = 1e-6; // of an output frame, as the server has it

/** Times of the source's frames in seconds. `map`: the answer of /proxy/frames. */
export function sourceTimes(map) {
  if (map.times_s) return map.times_s;
  const [over, under = 1] = map.frame_rate.split("/").map(Number);
  return Array.from({ length: map.source_frames }, (_, index) => (index * under) / over);
}

/** The source frame of each output frame, as indexes into `times`. `ramp`: the clock; `rate`: output frames per second. */
export function planOf(ramp, times, rate) {
  const plan = [];
  for (let frame = 1; frame <= times.length; frame += 1) {
    const isLast = frame === times.length;
    const out = isLast ? ramp.duration : ramp.outAt(times[frame]);
    const until = Math.max(Math.floor(out * rate + 0.5 + ROUNDING), isLast ? 1 : 0);
    while (plan.length < until) plan.push(frame - 1);
  }
  return plan;
}

/** For each source frame, the first proxy frame that shows it; if none does, that of the source frame before. */
export function proxyFrames(map) {
  if (!map.numbers) return Array.from({ length: map.source_frames }, (_, index) => Math.min(index, map.frames - 1));
  const shown = [];
  map.numbers.forEach((source, index) => (shown[source] ??= index));
  let last = 0;
  return Array.from({ length: map.source_frames }, (_, index) => (last = shown[index] ?? last));
}
