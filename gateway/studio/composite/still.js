// Single frames of a clip with their mattes, as pixels: from a chosen matte, or from a preview of the matte that will be made first.

import { inputOf } from "../base/declared.js";
import { previewOf } from "../state/previews.js";
import { FrameSource } from "../viewer/frame_source.js";
import { rateOf } from "../base/words.js";
import { exposureFrom, framesToMeasure, tonesOf } from "./exposure.js";

const WIDTH = 640;
const MEASURED = 480; // longest side of the pictures on which exposure is measured, as on the server

/** Reader of single frames of a clip with their mattes. `matte`: id of a medium, or "auto"; `port`: the input that takes it. */
export class Stills {
  #source = null;
  #window = null; // {video, start, end} of a previewed matte
  #last = null; // {time, still}: the latest frame asked for, and its promise
  #tones = new Map(); // number of a proxy frame -> histogram of the subject, or null

  constructor(store, record, { matte, port, signal }) {
    this.store = store;
    this.record = record;
    this.matte = matte;
    this.port = port;
    this.signal = signal;
  }

  /** Return the frame at a time in seconds: {width, height, picture, alpha}. `picture` is RGBA, `alpha` a byte for each pixel. */
  at(time) {
    if (this.#last?.time === time) return this.#last.still;
    const before = this.#last?.still;
    const still = this.matte === "auto" ? Promise.resolve(before).catch(() => {}).then(() => this.#previewed(time)) : this.#packed(time); // a video seeks to one time after the other
    this.#last = { time, still };
    still.catch(() => { if (this.#last?.still === still) this.#last = null; });
    return still;
  }

  /**
   * Measure a frame's exposure relative to its shot's median. Works only with a chosen matte. `start`, `end`: of the used part, in
   * seconds; `cuts`: times of the clip's cuts; `window`: frames of the clip that are averaged.
   */
  async exposureAt(time, { start, end, cuts, window }) {
    const source = await this.#packedSource();
    const number = source.indexAt(time);
    const edges = [source.indexAt(start), ...cuts.map((cut) => source.indexAt(cut)), end === null ? source.count : source.indexAt(end) + 1];
    const first = Math.max(edges[0], ...edges.filter((edge) => edge <= number));
    const last = Math.min(edges.at(-1), ...edges.filter((edge) => edge > number));
    if (number < first || number >= last) return 1; // outside the used part
    const frames = framesToMeasure(number, [first, last], Math.max(1, Math.round((window * source.rate) / rateOf(this.record.media))));
    const tones = new Map();
    for (const other of new Set([...frames.regular, ...frames.near])) {
      if (!this.#tones.has(other)) this.#tones.set(other, tonesOfPacked(await source.frame(other)));
      this.signal.throwIfAborted();
      tones.set(other, this.#tones.get(other));
    }
    return exposureFrom(tones, frames);
  }

  async #packedSource() {
    this.#source ??= await FrameSource.open(this.store.api, this.record.id, { query: `?alpha=${this.matte}`, signal: this.signal });
    return this.#source;
  }

  async #packed(time) {
    const source = await this.#packedSource();
    const frame = await source.frame(source.indexAt(time));
    const [width, height] = [frame.displayWidth, frame.displayHeight / 2];
    return pixels((context, w, h) => context.drawImage(frame, 0, 0, width, height, 0, 0, w, h), (context, w, h) => context.drawImage(frame, 0, height, width, height, 0, 0, w, h), width / height);
  }

  async #previewed(time) {
    const { store, record, signal } = this;
    this.#source ??= await FrameSource.open(store.api, record.id, { signal });
    if (!this.#window || time < this.#window.start || time > this.#window.end) {
      const [service, verb, output] = this.port.auto.split(".");
      const operation = store.operation(`${service}.${verb}`);
      const job = await previewOf(store.api, operation, { inputs: { [inputOf(operation)]: record.id }, params: {}, at: time, seconds: 1, slot: "still" });
      const { start_s: start, end_s: end } = job.preview;
      this.#window = { video: await loaded(await store.api.mediaUrl(job.outputs[output].urls.content, signal)), start, end };
    }
    const { video, start } = this.#window;
    const moment = Math.min(Math.max(0, time - start), video.duration - 0.01);
    if (video.currentTime !== moment) await sought(video, moment);
    const frame = await this.#source.frame(this.#source.indexAt(time));
    return pixels((context, w, h) => context.drawImage(frame, 0, 0, w, h), (context, w, h) => context.drawImage(video, 0, 0, w, h), this.#source.width / this.#source.height);
  }

  close() {
    this.#source?.close();
  }
}

/** Count the subject's luma in a frame with its matte below the picture. */
function tonesOfPacked(frame) {
  const half = frame.displayHeight / 2;
  const scale = Math.min(1, MEASURED / Math.max(frame.displayWidth, half));
  const [width, height] = [Math.round(frame.displayWidth * scale), Math.round(half * scale)];
  const context = Object.assign(document.createElement("canvas"), { width, height: 2 * height }).getContext("2d", { willReadFrequently: true });
  context.drawImage(frame, 0, 0, width, 2 * height);
  const read = (top) => context.getImageData(0, top, width, height).data;
  return tonesOf(read(0), read(height), width, height);
}

/** Read the pixels that two functions draw into canvases of the same size. */
function pixels(drawPicture, drawMatte, shape) {
  const [width, height] = [WIDTH, Math.round(WIDTH / shape)];
  const read = (draw) => {
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    draw(context, width, height);
    return context.getImageData(0, 0, width, height).data;
  };
  const matte = read(drawMatte);
  return { width, height, picture: read(drawPicture), alpha: Uint8Array.from({ length: width * height }, (_, pixel) => matte[4 * pixel]) };
}

async function loaded({ url }) {
  const video = Object.assign(document.createElement("video"), { muted: true, preload: "auto", src: url });
  await event(video, "loadeddata");
  return video;
}

async function sought(video, time) {
  video.currentTime = time;
  await event(video, "seeked");
}

function event(video, name) {
  return new Promise((resolve, reject) => {
    video.addEventListener(name, resolve, { once: true });
    video.addEventListener("error", () => reject(new Error("The matte could not be loaded.")), { once: true });
  });
}
