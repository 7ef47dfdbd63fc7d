// The player of a clip along its speed curve, before anything is rendered: it shows the same frames as a render, each on time, with sound.

import { rateOf } from "../base/words.js";
import { readyJson } from "../server/views.js";
import { FrameSource } from "../viewer/frame_source.js";
import { proxyFrames, sourceTimes } from "../server/frame_map.js";
import { planOf, usedFrames } from "./plan.js";
import { Ramp } from "./ramp.js";
import { rampedSound } from "./ramp_sound.js";

const AHEAD = 12; // output frames that are decoded ahead
const SHOWN_AFTER_S = 2 / 60; // delay of a drawn frame: composed in the next screen refresh, visible in the one after
const LEAD_S = 0.05; // time between the order to play and the first sample
const NEAR_END_S = 0.1; // a start less than this before the end plays from the beginning
const READY = 4; // number of distinct decoded frames with which playing begins

export class RampPlayer {
  #source = null;
  #map = null;
  #stopped = null;
  #audio = null; // {context, buffer of the clip} once sound was played

  constructor(api, record) {
    this.api = api;
    this.record = record;
  }

  /** Open the clip's proxy. `onWait(job)` is called while the proxy is made. */
  async open(signal, onWait) {
    [this.#source, this.#map] = await Promise.all([
      FrameSource.open(this.api, this.record.id, { signal, onWait }),
      readyJson(this.api, `/v1/media/${this.record.id}/proxy/frames`, { signal }),
    ]);
    this.times = sourceTimes(this.#map);
    this.shown = proxyFrames(this.#map);
  }

  get size() {
    return [this.#source.width, this.#source.height];
  }

  /**
   * Play the frames and sound of a render from a second of the source. `answer`: the plan of a render. `draw(frame, source frame, output frame)` shows a
   * frame. Resolves with figures at the end or when stopped: {frames, onTime, late}.
   */
  async play(answer, { from = 0, draw, isMuted = false, onTime = () => {} }) {
    this.stop();
    const stopped = (this.#stopped = { now: false });
    const { curve, start_s: start, end_s: end, has_sound: hasSound } = answer;
    const ramp = new Ramp(curve, end, start);
    const rate = rateOf(answer);
    const plan = planOf(ramp, this.times, rate, usedFrames(answer, this.times));
    if (!plan.length) throw new Error("No frame of the clip begins in this part.");
    const proxy = plan.map((frame) => this.shown[frame]);
    const isInside = from >= start && from < end - NEAR_END_S;
    const first = isInside ? Math.min(Math.floor(ramp.outAt(from) * rate), plan.length - 1) : 0;
    const sound = isMuted || !hasSound ? null : await this.#sound(ramp, answer.keeps_pitch).catch(() => null);
    await this.#decodeAhead(proxy, first, READY);
    if (stopped.now) return null;
    const clock = startClock(sound, first / rate);
    const figures = { frames: plan.length - first, onTime: 0, late: 0 };
    await this.#run({ stopped, plan, proxy, first, rate, clock, draw, onTime, figures });
    clock.stop();
    return figures;
  }

  stop() {
    if (this.#stopped) this.#stopped.now = true;
  }

  close() {
    this.stop();
    this.#source?.close();
    this.#audio?.context.close();
  }

  /** Return the frame of the source nearest to a time, for a still picture. */
  async frameAt(time) {
    let index = 0;
    while (index + 1 < this.times.length && this.times[index + 1] <= time + 1e-4) index += 1;
    return { frame: await this.#source.frame(this.shown[index]), index };
  }

  #run({ stopped, plan, proxy, first, rate, clock, draw, onTime, figures }) {
    return new Promise((/** @type {(value?: any) => void} */ resolve) => {
      let shown = -1;
      let counted = first - 1;
      const step = () => {
        if (stopped.now) return resolve();
        const time = clock.now() + SHOWN_AFTER_S;
        const number = Math.max(first, Math.floor(time * rate)); // the clock begins with the lead
        if (number >= plan.length) return resolve();
        this.#askAhead(proxy, number);
        const before = shown;
        const frame = this.#source.peek(proxy[number]);
        if (frame && number !== shown) {
          draw(frame, plan[number], number);
          shown = number;
        }
        while (counted < number) {
          counted += 1; // a frame that no step of the screen drew is late, unless it looks like one beside it
          figures[counted === shown || proxy[counted] === proxy[shown] || proxy[counted] === proxy[before] ? "onTime" : "late"] += 1;
        }
        onTime(time, this.times[plan[number]]);
        requestAnimationFrame(step);
        return undefined;
      };
      requestAnimationFrame(step);
    });
  }

  #askAhead(proxy, number) {
    for (let next = number; next < Math.min(number + AHEAD, proxy.length); next += 1) {
      if (!this.#source.isAsked(proxy[next])) this.#source.frame(proxy[next]).catch(() => {});
    }
  }

  async #decodeAhead(proxy, first, count) {
    await Promise.all(proxy.slice(first, first + count).map((index) => this.#source.frame(index)));
  }

  async #sound(ramp, keepsPitch) {
    if (!this.#audio) {
      const context = new AudioContext();
      const response = await this.api.send("GET", `/v1/media/${this.record.id}/proxy`, { limit: null });
      this.#audio = { context, clip: await context.decodeAudioData(await response.arrayBuffer()) };
    }
    const { context, clip } = this.#audio;
    if (context.state === "suspended") await context.resume();
    return { context, buffer: rampedSound(clip, ramp, keepsPitch) };
  }
}

/** Start a clock in seconds of the result, from `from`. With sound, it follows the audible sound. */
function startClock(sound, from) {
  if (!sound) {
    const began = performance.now() + (LEAD_S - from) * 1000;
    return { now: () => (performance.now() - began) / 1000, stop() {} };
  }
  const { context, buffer } = sound;
  const node = new AudioBufferSourceNode(context, { buffer });
  node.connect(context.destination);
  const began = context.currentTime + LEAD_S;
  node.start(began, from);
  let last = from;
  return { now: () => (last = Math.max(last, heardAt(context) - began + from)), stop: () => node.disconnect() };
}

/** Return the time, on the context's clock, of the sound audible now. The context's clock is ahead by the output's latency, and moves in steps. */
function heardAt(context) {
  const { contextTime, performanceTime } = context.getOutputTimestamp();
  if (performanceTime) return contextTime + (performance.now() - performanceTime) / 1000;
  return context.currentTime - (context.outputLatency || context.baseLatency || 0);
}
