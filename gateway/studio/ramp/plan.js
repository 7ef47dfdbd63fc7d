// The plan of a ramped clip, which says when each frame is shown. It has the same frames as a render with `nearest`.

const ROUNDING = 1e-6; // tolerance in output frames; equal to the server's
const SAME_S = 2e-6; // largest difference of equal times, which are rounded to microseconds

/**
 * Return the source frame of each output frame, as an index into `times`. `ramp`: the clock; `rate`: output frames per second; `used`: the source
 * frames that are used, [{index, moment}] in order, by default all.
 */
export function planOf(ramp, times, rate, used = times.map((moment, index) => ({ index, moment }))) {
  const plan = [];
  used.forEach(({ index }, place) => {
    const isLast = place === used.length - 1;
    const out = isLast ? ramp.duration : ramp.outAt(used[place + 1].moment);
    const until = Math.max(Math.floor(out * rate + 0.5 + ROUNDING), isLast ? 1 : 0);
    while (plan.length < until) plan.push(index);
  });
  return plan;
}

/** Return the source frames that a render uses: [{index, moment}]. `answer`: the plan of a render. */
export function usedFrames(answer, times) {
  const { start_s: start, end_s: end, kept } = answer;
  if (kept) return kept.map(({ time_s: time, moment_s: moment }) => ({ index: nearest(times, time), moment }));
  const all = times.map((moment, index) => ({ index, moment }));
  return all.filter(({ moment }) => moment >= start - SAME_S && moment < end - SAME_S);
}

/** Return the index of the value of `times` nearest to a time. The values rise. */
function nearest(times, time) {
  let [low, high] = [0, times.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] >= time) high = middle;
    else low = middle + 1;
  }
  return low > 0 && time - times[low - 1] <= times[low] - time ? low - 1 : low;
}
