// Two clips on one clock: the source and the result, always the same frame of both.

import { FrameSource } from "../viewer/frame_source.js";

export class Pair {
  /**
   * Open the proxies of both clips. `onWait(job)` is called while one is made.
   * @param {any} api  @param {any} before  @param {any} after  @param {(time: number) => number} map  @param {{ query?: string, signal?: AbortSignal, onWait?: (job?: any) => void }} [options]
   */
  static async open(api, before, after, map, { signal, onWait } = {}) {
    const [source, result] = await Promise.all([
      before ? FrameSource.open(api, before.id, { signal, onWait }) : null,
      FrameSource.open(api, after.id, { signal, onWait }),
    ]);
    return new Pair(source, result, map);
  }

  constructor(source, result, map) {
    this.source = source;
    this.result = result;
    this.map = map;
  }

  get count() {
    return this.result.count;
  }

  get duration() {
    return this.result.duration;
  }

  /** Return the source time, in seconds, that result frame `number` shows. */
  sourceTime(number) {
    return this.map(this.result.samples[number].time);
  }

  /** Return the frame numbers of source and result at result frame `number`. */
  indexes(number) {
    return { after: number, before: this.source ? this.source.indexAt(this.sourceTime(number)) : null };
  }

  /** Return the decoded frames of source and result: {before, after}. */
  async frames(number) {
    const { before, after } = this.indexes(number);
    const [first, second] = await Promise.all([this.source?.frame(before) ?? null, this.result.frame(after)]);
    return { before: first, after: second };
  }

  /** Return the same frames as `frames` if they are decoded already, else null. */
  peek(number) {
    const { before, after } = this.indexes(number);
    const second = this.result.peek(after);
    const first = this.source ? this.source.peek(before) : null;
    return second && (first || !this.source) ? { before: first, after: second } : null;
  }

  askAhead(number, count) {
    for (let next = number; next < Math.min(number + count, this.count); next += 1) {
      const { before, after } = this.indexes(next);
      if (!this.result.isAsked(after)) this.result.frame(after).catch(() => {});
      if (this.source && !this.source.isAsked(before)) this.source.frame(before).catch(() => {});
    }
  }

  close() {
    this.source?.close();
    this.result.close();
  }
}
