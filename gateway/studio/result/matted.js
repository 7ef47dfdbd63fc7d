// A clip with its matte, and what is behind the subject, on one clock.

import { FrameSource } from "../viewer/frame_source.js";

export class Matted {
  backdrop = null;

  /** Open the proxy that has the clip above and its matte below. @param {any} api  @param {any} clip  @param {any} matte  @param {AbortSignal} signal */
  static async open(api, clip, matte, signal) {
    return new Matted(await FrameSource.open(api, clip.id, { query: `?alpha=${matte.id}`, signal }));
  }

  constructor(packed) {
    this.packed = packed;
  }

  get count() {
    return this.packed.count;
  }

  #timeOf(number) {
    return this.packed.samples[number].time;
  }

  /** Both pictures, decoded: {packed, behind}. `behind` is null without a backdrop. */
  async frames(number) {
    const bounded = Math.min(number, this.count - 1);
    const [packed, behind] = await Promise.all([this.packed.frame(bounded), this.backdrop?.at(this.#timeOf(bounded)) ?? null]);
    return { packed, behind };
  }

  /** Both pictures if they are decoded already, else null. */
  peek(number) {
    const packed = this.packed.peek(number);
    const behind = this.backdrop?.peek(this.#timeOf(number)) ?? null;
    return packed && (behind || !this.backdrop) ? { packed, behind } : null;
  }

  askAhead(number, count) {
    for (let next = number; next < Math.min(number + count, this.count); next += 1) {
      if (!this.packed.isAsked(next)) this.packed.frame(next).catch(() => {});
      this.backdrop?.ask(this.#timeOf(next));
    }
  }

  close() {
    this.packed.close();
    this.backdrop?.close();
  }
}
