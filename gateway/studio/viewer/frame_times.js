// The frames of a clip by their numbers: the frame shown at a time, and the time at which a player shows a frame.

import { constantRateOf, rateOf } from "../base/words.js";
import { proxyFrames, sourceTimes } from "../server/frame_map.js";
import { readyJson } from "../server/views.js";

const EARLY_S = 1e-4; // a time this close before a frame belongs to it: players round down
const maps = new Map(); // media id -> promise of FrameTimes

export class FrameTimes {
  /** Hold the times of a clip's frames. `times`: in seconds. `end`: of the last frame. `shown`: the proxy frame of each. `rate`: of the proxy. */
  constructor(times, end, shown, rate) {
    this.times = times;
    this.end = end;
    this.shown = shown;
    this.rate = rate;
    this.count = times.length;
  }

  /** Return the number of the frame at a time of the clip, in seconds. */
  numberAt(time) {
    return lastOf(this.times, time + EARLY_S);
  }

  /** Return the number of the first frame that begins at or after a time. Without one, return the last frame's. */
  firstFrom(time) {
    const number = this.numberAt(time);
    return this.times[number] >= time - EARLY_S ? number : Math.min(number + 1, this.count - 1);
  }

  /** Return the number of the frame that the proxy shows at a time. */
  numberInProxy(time) {
    let number = lastOf(this.shown, Math.floor(time * this.rate + 1e-3));
    while (this.isLeftOut(number)) number -= 1;
    return number;
  }

  /** Return whether the proxy leaves a frame out. Several frames of the clip then begin within one of its own. */
  isLeftOut(number) {
    return number > 0 && this.shown[number] === this.shown[number - 1];
  }

  /** Return a time in the middle of a frame. There, rounding cannot select a neighbouring frame. */
  middleOf(number) {
    return (this.times[number] + this.#endOf(number)) / 2;
  }

  /** Return a time at which both the proxy and the clip show a frame. If the proxy leaves the frame out, it is a time at which the clip shows it. */
  middleInProxy(number) {
    const from = Math.max(this.times[number], this.shown[number] / this.rate);
    const next = this.shown[number + 1] ?? Infinity;
    const to = Math.min(this.#endOf(number), Math.max(next, this.shown[number] + 1) / this.rate);
    return from < to && !this.isLeftOut(number) ? (from + to) / 2 : this.middleOf(number);
  }

  /** Return the number of the first frame in the second of frame `number`. */
  firstOfSecond(number) {
    const second = Math.floor(this.times[number] + EARLY_S);
    const before = lastOf(this.times, second - EARLY_S);
    return this.times[before] <= second - EARLY_S ? before + 1 : before;
  }

  #endOf(number) {
    return this.times[number + 1] ?? Math.max(this.end, this.times[number]);
  }
}

/** Return the index of the last value up to `limit`, or 0. The values rise; it is 0 if all are greater. */
function lastOf(values, limit) {
  let [low, high] = [0, values.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (values[middle] <= limit) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Compute the frame times of a clip with a constant frame rate. */
export function evenTimes(media) {
  const rate = rateOf(media);
  const numbers = Array.from({ length: Math.max(1, Math.round((media.duration_s ?? 0) * rate)) }, (_, number) => number);
  return new FrameTimes(numbers.map((number) => number / rate), numbers.length / rate, numbers, constantRateOf(media));
}

/** Return a promise of a clip's frame times, also at a varying rate. */
export async function timesOf(api, record) {
  return record.media.variable_frame_rate ? readTimes(api, record) : evenTimes(record.media);
}

/** Read a clip's frame times, of varying frame rate, from the server. The server reads them as it makes the proxy. */
export function readTimes(api, record) {
  if (!maps.has(record.id)) {
    const read = async () => {
      const map = await readyJson(api, `/v1/media/${record.id}/proxy/frames`);
      return new FrameTimes(sourceTimes(map), record.media.duration_s ?? 0, proxyFrames(map), rateOf(map));
    };
    const promise = read();
    maps.set(record.id, promise);
    promise.catch(() => maps.delete(record.id));
  }
  return maps.get(record.id);
}
