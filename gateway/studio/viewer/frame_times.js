// The frames of a clip by their numbers: which one is on at a time, and where a player shows it.

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

  /** The number of the frame at a time of the clip, in seconds. */
  numberAt(time) {
    return lastOf(this.times, time + EARLY_S);
  }

  /** The number of the first frame at or after a time. It is the last frame's if none is. */
  firstFrom(time) {
    const number = this.numberAt(time);
    return this.times[number] >= time - EARLY_S ? number : Math.min(number + 1, this.count - 1);
  }

  /** The number of the frame that the proxy shows at a time. */
  numberInProxy(time) {
    let number = lastOf(this.shown, Math.floor(time * this.rate + 1e-3));
    while (this.isLeftOut(number)) number -= 1;
    return number;
  }

  /** Whether the proxy leaves a frame out. Several frames of the clip then begin within one of its own. */
  isLeftOut(number) {
    return number > 0 && this.shown[number] === this.shown[number - 1];
  }

  /** A time in the middle of a frame, where rounding cannot show its neighbour. */
  middleOf(number) {
    return (this.times[number] + this.#endOf(number)) / 2;
  }

  /** A time at which both the proxy and the clip show a frame. If the proxy leaves the frame out, it is a time at which the clip shows it. */
  middleInProxy(number) {
    const from = Math.max(this.times[number], this.shown[number] / this.rate);
    const next = this.shown[number + 1] ?? Infinity;
    const to = Math.min(this.#endOf(number), Math.max(next, this.shown[number] + 1) / this.rate);
    return from < to && !this.isLeftOut(number) ? (from + to) / 2 : this.middleOf(number);
  }

  /** The number of the first frame that begins in the same second as another. */
  firstOfSecond(number) {
    const second = Math.floor(this.times[number] + EARLY_S);
    const before = lastOf(this.times, second - EARLY_S);
    return this.times[before] <= second - EARLY_S ? before + 1 : before;
  }

  #endOf(number) {
    return this.times[number + 1] ?? Math.max(this.end, this.times[number]);
  }
}

/** The index of the last value up to `limit`, or 0. The values rise; it is 0 if all are greater. */
function lastOf(values, limit) {
  let [low, high] = [0, values.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (values[middle] <= limit) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The frame times of a clip of constant rate. */
export function evenTimes(media) {
  const rate = rateOf(media);
  const numbers = Array.from({ length: Math.max(1, Math.round((media.duration_s ?? 0) * rate)) }, (_, number) => number);
  return new FrameTimes(numbers.map((number) => number / rate), numbers.length / rate, numbers, constantRateOf(media));
}

/** The promise of the frame times of a clip, of constant or varying rate. */
export async function timesOf(api, record) {
  return record.media.variable_frame_rate ? readTimes(api, record) : evenTimes(record.media);
}

/** The promise of the frame times of a clip of varying rate. The server reads them as it makes the proxy. */
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
