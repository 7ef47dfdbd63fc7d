// The workbench of composites: one frame over its background, whose light and parallax change as the sliders move.

import { Element } from "../base/element.js";
import { html } from "../base/html.js";
import { position } from "../base/format.js";
import { matchOf, mixed, rowShift } from "./mixing.js";
import { Stills } from "./still.js";

const SLIDERS = [
  ["match", "Match to the background", 1],
  ["light_wrap", "Light on the edges", 1],
  ["depth_scale", "Parallax", 2],
];
const SETTLED_MS = 350;
const REACH = 0.06; // of the width, that the camera moves the background by
const MARGIN = 1.3; // size of a background that has room to move

class CompositeBench extends Element {
  /** `inputs`, `params`: of the tool. Sends `param` with {name, value}. */
  static props = { store: null, record: null, operation: null, inputs: {}, params: {}, viewer: null, time: 0, isLive: true, camera: 0, note: "", isReady: false };
  #canvas = Object.assign(document.createElement("canvas"), { className: "composite-canvas" });
  #stills = null;
  #still = null;
  #picture = null; // {id, image}
  #timer = null;
  #closing = new AbortController();
  #asked = 0;

  enter() {
    this.#canvas.setAttribute("role", "img");
    this.#canvas.setAttribute("aria-label", "A frame over its background");
    document.addEventListener("viewer-toggle", () => this.#play(), { signal: this.leaving });
    this.#closing = new AbortController();
    this.#soon();
  }

  leave() {
    clearTimeout(this.#timer);
    this.#closing.abort();
    this.#stills?.close();
    this.#stills = null;
  }

  changed(name) {
    if (["time", "inputs"].includes(name)) this.#soon();
    else if (["params", "camera"].includes(name)) this.#paint();
    this.redraw();
  }

  /** The playing clip takes the place of the still. */
  #play() {
    if (!this.isLive) return;
    this.#setLive(false);
    queueMicrotask(() => queueMicrotask(() => this.viewer()?.play()));
  }

  #setLive(isLive) {
    this.isLive = isLive;
    if (isLive) this.viewer().pause();
    this.tell("stage", { canvas: isLive && this.isReady ? this.#canvas : null, preview: null });
    if (isLive) this.#soon();
  }

  #soon() {
    clearTimeout(this.#timer);
    if (this.isConnected && this.isLive) this.#timer = setTimeout(() => this.#load(), SETTLED_MS);
  }

  #value(name) {
    return this.params[name] ?? this.operation.params.properties?.[name]?.default;
  }

  async #load() {
    const { inputs, store, record, time } = this;
    const number = (this.#asked += 1);
    if (!inputs.alpha || (inputs.alpha === "auto" && !store.operation("matting.matte")?.available)) return;
    const { signal } = this.#closing;
    if (this.#stills?.matte !== inputs.alpha) {
      this.#stills?.close();
      this.#stills = new Stills(store, record, inputs.alpha, signal);
    }
    this.note = this.isReady ? "" : inputs.alpha === "auto" ? "Making the matte of this frame…" : "Putting the matte beside its picture…";
    try {
      const [still, picture] = await Promise.all([this.#stills.at(time), this.#background(inputs.background)]);
      if (number !== this.#asked || signal.aborted) return;
      this.#still = still;
      this.#picture = picture;
      Object.assign(this, { isReady: true, note: "" });
      this.#paint();
      if (this.isLive) this.tell("stage", { canvas: this.#canvas });
    } catch (error) {
      if (!signal.aborted && error.name !== "AbortError" && number === this.#asked) this.note = error.message;
    }
  }

  /** The background's picture: {id, image}; null for a plain colour. */
  async #background(id) {
    if (!id || id === "auto") return null;
    if (this.#picture?.id === id) return this.#picture;
    const record = await this.store.record(id);
    const { url } = await this.store.api.mediaUrl(record.kind === "image" ? record.urls.content : record.urls.thumbnail, this.#closing.signal);
    const image = Object.assign(new Image(), { src: url });
    await image.decode();
    return { id, image };
  }

  #paint() {
    const still = this.#still;
    if (!still) return;
    const { width, height, picture, alpha } = still;
    const canvas = this.#canvas;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const background = this.#backgroundPixels(width, height);
    const isPlain = !this.#picture;
    const match = isPlain ? null : matchOf(picture, background.data, alpha, this.#value("match") ?? 0);
    const { glow, spill } = this.#light(still, background);
    const context = canvas.getContext("2d");
    const out = context.createImageData(width, height);
    mixed(out.data, { picture, background: background.data, alpha, match, glow, spill, wrap: this.#value("light_wrap") ?? 0, isLinear: this.#value("light") === "linear" });
    context.putImageData(out, 0, 0);
  }

  #backgroundPixels(width, height) {
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const image = this.#picture?.image;
    context.fillStyle = image ? "#000" : /^#[0-9a-f]{6}$/i.test(this.#value("color") ?? "") ? this.#value("color") : "#808080";
    context.fillRect(0, 0, width, height);
    if (image) this.#drawBackground(context, image, width, height);
    return context.getImageData(0, 0, width, height);
  }

  #drawBackground(context, image, width, height) {
    const [w, h] = [image.naturalWidth, image.naturalHeight];
    const fit = this.#value("fit") ?? "cover";
    const [across, down] = [width / w, height / h];
    const margin = this.#hasParallax ? MARGIN : 1;
    const scale = (fit === "contain" ? Math.min(across, down) : Math.max(across, down)) * margin;
    const [bw, bh] = fit === "stretch" ? [width, height] : [w * scale, h * scale];
    const [x, y] = [(width - bw) / 2, (height - bh) / 2];
    if (!this.#hasParallax) return void context.drawImage(image, x, y, bw, bh);
    const STRIP = 4; // rows that move together
    for (let row = 0; row < height; row += STRIP) {
      const shift = rowShift(row, height, { camera: this.camera, depth: this.#value("depth_scale") ?? 0, reach: REACH * width });
      context.drawImage(image, 0, ((row - y) / bh) * h, w, (STRIP / bh) * h, x + shift, row, bw, STRIP);
    }
    return undefined;
  }

  /** The blurred background, and how much of it reaches each pixel. */
  #light({ width, height, alpha }, background) {
    const radius = Math.max(1, height / 60);
    const blurred = (data, by) => {
      const from = Object.assign(document.createElement("canvas"), { width, height });
      from.getContext("2d").putImageData(data, 0, 0);
      const to = Object.assign(document.createElement("canvas"), { width, height });
      const context = to.getContext("2d", { willReadFrequently: true });
      context.filter = `blur(${by}px)`;
      context.drawImage(from, 0, 0);
      return context.getImageData(0, 0, width, height).data;
    };
    const outside = new ImageData(width, height);
    for (let pixel = 0; pixel < alpha.length; pixel += 1) outside.data.set([255 - alpha[pixel], 0, 0, 255], 4 * pixel);
    const red = blurred(outside, radius);
    return { glow: blurred(background, radius * 1.5), spill: Uint8Array.from({ length: alpha.length }, (_, pixel) => red[4 * pixel]) };
  }

  get #hasParallax() {
    return "depth_scale" in (this.operation.params.properties ?? {}) && Boolean(this.#picture);
  }

  view() {
    const { isLive, note, isReady, time } = this;
    if (!this.inputs.alpha) return html`<p class="muted small composite-note">Choose a matte to see the composite here.</p>`;
    const names = this.operation.params.properties ?? {};
    const sliders = SLIDERS.filter(([name]) => name in names && (name !== "depth_scale" || this.#hasParallax));
    return html`<section class="composite-bench" aria-label="Composite of one frame">
      <div class="bench-bar">
        <button type="button" aria-pressed=${String(isLive)} @click=${() => this.#setLive(!isLive)}>${isLive ? "Show the clip" : "Show the composite"}</button>
        ${isLive && isReady && sliders.map(([name, label, most]) => html`<label>${label} <input type="range" min="0" max=${most} step="0.01" .value=${String(this.#value(name) ?? 0)}
          @input=${(event) => this.tell("param", { name, value: Number(event.target.value) })}></label>`)}
        ${isLive && isReady && this.#hasParallax && html`<label>Camera <input type="range" min="-1" max="1" step="0.01" .value=${String(this.camera)} @input=${(event) => (this.camera = Number(event.target.value))}></label>`}
      </div>
      <p class="muted small" role="status">${note || (isReady ? `The frame at ${position(time)}. Hair, grain and shadows come with the preview.` : "")}</p>
    </section>`;
  }
}

Element.define("composite-bench", CompositeBench);
