// Single frames of a clip, exact to the frame, decoded from its proxy with WebCodecs.

import { patiently, ready } from "../server/views.js";
import { findBox, videoTrack } from "./mp4.js";

const BLOCK_BYTES = 1 << 20;
const MOST_BLOCKS = 96;
const MOST_FRAMES = 24; // number of decoded frames that are kept

export class FrameSource {
  #api;
  #path;
  #blocks = new Map(); // number -> promise of bytes
  #frames = new Map(); // index -> VideoFrame, the latest used last
  #waiting = new Map(); // index -> {resolve, reject, promise}
  #decoder = null;
  #flush = null;
  #isClosed = false;

  /**
   * Open the proxy of a medium. `query`: such as "?alpha=ID". Throws if this browser cannot decode it.
   * @param {any} api  @param {string} id  @param {{ query?: string, signal?: AbortSignal, onWait?: (job?: any) => void }} [options]
   */
  static async open(api, id, { query = "", signal, onWait } = {}) {
    if (!globalThis.VideoDecoder) throw new Error("This browser cannot show exact frames.");
    const path = await ready(api, `/v1/media/${id}/proxy${query}`, { signal, onWait });
    const source = new FrameSource(api, path);
    await source.#readIndex();
    signal?.addEventListener("abort", () => source.close());
    return source;
  }

  constructor(api, path) {
    this.#api = api;
    this.#path = path;
  }

  async #readIndex() {
    let start = new Uint8Array(await this.#block(0));
    let moov = findBox(new DataView(start.buffer), "moov");
    while (moov && moov.end > start.length) {
      const next = new Uint8Array(await this.#block(start.length / BLOCK_BYTES));
      const longer = new Uint8Array(start.length + next.length);
      longer.set(start);
      longer.set(next, start.length);
      start = longer;
      moov = findBox(new DataView(start.buffer), "moov");
    }
    if (!moov) throw new Error("The preview copy of this clip is damaged.");
    const track = videoTrack(new DataView(start.buffer), moov);
    this.samples = track.samples;
    this.width = track.width;
    this.height = track.height;
    this.count = track.samples.length;
    this.duration = track.duration;
    this.rate = this.count / track.duration;
    this.config = { codec: track.codec, description: track.description, optimizeForLatency: true };
    const { supported } = await VideoDecoder.isConfigSupported(this.config);
    if (!supported) throw new Error("This browser cannot decode the preview copy of this clip.");
    this.#open();
  }

  #open() {
    this.#decoder = new VideoDecoder({
      output: (frame) => this.#arrived(frame),
      error: (error) => this.#failed(error),
    });
    this.#decoder.configure(this.config);
  }

  /** Return the number of the frame on screen at a time in seconds. */
  indexAt(time) {
    const { samples } = this;
    let [low, high] = [0, samples.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (samples[middle].time <= time + 1e-4) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Return frame number `index` if it is decoded already. It stays valid until many other frames were requested. */
  peek(index) {
    return this.#frames.get(index) ?? null;
  }

  /** Return whether a frame is decoded or being decoded. */
  isAsked(index) {
    return this.#frames.has(index) || this.#waiting.has(index);
  }

  /** Return a promise of frame number `index`, a VideoFrame. */
  async frame(index) {
    const kept = this.#frames.get(index);
    if (kept) {
      this.#frames.delete(index);
      this.#frames.set(index, kept);
      return kept;
    }
    const waiting = this.#waiting.get(index);
    if (waiting) return waiting.promise;
    const entry = {};
    entry.promise = new Promise((resolve, reject) => Object.assign(entry, { resolve, reject }));
    entry.promise.catch(() => {}); // callers that no longer wait
    this.#waiting.set(index, entry);
    try {
      const data = await this.#read(this.samples[index]);
      if (this.#isClosed) throw new DOMException("The clip was closed.", "AbortError");
      if (this.#decoder.state === "closed") this.#open();
      this.#decoder.decode(new EncodedVideoChunk({ type: "key", timestamp: index, data }));
      this.#flushSoon();
    } catch (error) {
      this.#waiting.delete(index);
      entry.reject(error);
    }
    return entry.promise;
  }

  close() {
    this.#isClosed = true;
    for (const frame of this.#frames.values()) frame.close();
    this.#frames.clear();
    if (this.#decoder && this.#decoder.state !== "closed") this.#decoder.close();
    for (const { reject } of this.#waiting.values()) reject(new DOMException("The clip was closed.", "AbortError"));
    this.#waiting.clear();
    this.#blocks.clear();
  }

  /** Flush the decoder soon, because it holds back its last frames. */
  #flushSoon() {
    this.#flush ??= setTimeout(() => {
      this.#flush = null;
      if (this.#decoder.state === "configured") this.#decoder.flush().catch(() => {});
    }, 0);
  }

  #arrived(frame) {
    const index = frame.timestamp;
    if (this.#isClosed || this.#frames.has(index)) return frame.close();
    this.#frames.set(index, frame);
    this.#waiting.get(index)?.resolve(frame);
    this.#waiting.delete(index);
    for (const [oldest, kept] of this.#frames) {
      if (this.#frames.size <= MOST_FRAMES) break;
      kept.close();
      this.#frames.delete(oldest);
    }
    return undefined;
  }

  #failed(error) {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  async #read({ offset, size }) {
    const data = new Uint8Array(size);
    for (let at = offset; at < offset + size; ) {
      const number = Math.floor(at / BLOCK_BYTES);
      const block = await this.#block(number);
      const from = at - number * BLOCK_BYTES;
      const piece = new Uint8Array(block, from, Math.min(BLOCK_BYTES - from, offset + size - at));
      data.set(piece, at - offset);
      at += piece.length;
    }
    return data;
  }

  #block(number) {
    if (!this.#blocks.has(number)) {
      const range = `bytes=${number * BLOCK_BYTES}-${(number + 1) * BLOCK_BYTES - 1}`;
      const read = async () => (await this.#api.send("GET", this.#path, { headers: { Range: range }, limit: null })).arrayBuffer();
      const promise = patiently(read);
      promise.catch(() => this.#blocks.delete(number));
      this.#blocks.set(number, promise);
      if (this.#blocks.size > MOST_BLOCKS) this.#blocks.delete(this.#blocks.keys().next().value);
    }
    return this.#blocks.get(number);
  }
}
