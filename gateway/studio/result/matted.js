// A clip with its matte and the backdrop behind the subject, on the clock of the result.

import { FrameSource } from "../viewer/frame_source.js";

export class Matted {
  backdrop = null;

  /**
   * Open the proxy that has the clip above and its matte below. Both must have the same times. `pair`: the result and the clip, whose clock the frames follow.
   * @param {any} api  @param {any} clip  @param {any} matte  @param {{ pair: any, signal: AbortSignal }} options
   */
  static async open(api, clip, matte, { pair, signal }) {
    return new Matted(await FrameSource.open(api, clip.id, { query: `?alpha=${matte.id}`, signal }), pair);
  }

  constructor(packed, pair) {
    this.packed = packed;
    this.pair = pair;
  }

  /** The number of frames of the result. */
  get count() {
    return this.pair.count;
  }

  /** Return the clip's frame that result frame `number` shows: {at, time}. `at`: its number; `time`: in seconds of the clip. */
  #placeOf(number) {
    const at = this.packed.indexAt(this.pair.sourceTime(Math.min(number, this.count - 1)));
    return { at, time: this.packed.samples[at].time };
  }

  /** Return the decoded clip and backdrop at result frame `number`: {packed, behind}. `packed`: the clip above its matte; `behind`: null without a backdrop. */
  async frames(number) {
    const { at, time } = this.#placeOf(number);
    const [packed, behind] = await Promise.all([this.packed.frame(at), this.backdrop?.at(time) ?? null]);
    return { packed, behind };
  }

  /** Return the same pictures as `frames` if they are decoded already, else null. */
  peek(number) {
    const { at, time } = this.#placeOf(number);
    const packed = this.packed.peek(at);
    const behind = this.backdrop?.peek(time) ?? null;
    return packed && (behind || !this.backdrop) ? { packed, behind } : null;
  }

  askAhead(number, count) {
    for (let next = number; next < Math.min(number + count, this.count); next += 1) {
      const { at, time } = this.#placeOf(next);
      if (!this.packed.isAsked(at)) this.packed.frame(at).catch(() => {});
      this.backdrop?.ask(time);
    }
  }

  close() {
    this.packed.close();
    this.backdrop?.close();
  }
}
