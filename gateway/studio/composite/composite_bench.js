// The workbench of composites: one frame over its background, whose light and parallax change as the sliders move.

import { Element } from "../base/element.js";
import { html } from "../base/html.js";
import { inputOf, inputOfRole, paramOf, valueOfRole } from "../base/declared.js";
import { position } from "../base/format.js";
import { outputOfRole } from "../base/outputs.js";
import { canMake, previewOf } from "../state/previews.js";
import { parametersOf } from "../form/schema.js";
import { gridOf, matchOf, medianOf, mixed, moved, nearnessOfRows } from "./mixing.js";
import { timesOf } from "../viewer/frame_times.js";
import { cutsOf } from "../viewer/lanes.js";
import { expose } from "./exposure.js";
import { Stills } from "./still.js";

const SLIDERS = ["colour_match", "edge_light", "parallax"]; // roles of the parameters that get a slider
const BACKDROP = ["backdrop_fit", "backdrop_colour", "parallax", "depth_source"]; // roles of parameters that change the drawn background
const LOADED = ["part_start", "part_length", "backdrop_start", "backdrop_end", "depth_source", "exposure_window"]; // roles of parameters that choose the background's frame, depth or exposure
const COLOUR = /^#[0-9a-f]{6}$/i;
const SETTLED_MS = 350;
const REACH = 0.06; // farthest move of the background, as a share of the frame's width
const MARGIN = 1.3; // size of a background that can move, relative to the frame

class CompositeBench extends Element {
  /** Properties of the element. `inputs`, `params`: of the tool. Sends `param` with {name, value}. */
  static props = { store: null, record: null, operation: null, inputs: {}, params: {}, viewer: null, time: 0, isLive: true, camera: 0, note: "", isReady: false, isEstimating: false, isMeasuring: false };
  #canvas = Object.assign(document.createElement("canvas"), { className: "composite-canvas" });
  #stills = null;
  #still = null;
  #picture = null; // {id, image}: the chosen background
  #timer = null;
  #closing = new AbortController();
  #asked = 0;
  #estimate = null; // {key, picture, depth} of the server, for a background at a moment of the clip
  #exposure = null; // of the background at this frame; null: not measured
  #kept = null;
  #drawnBehind = null;
  #due = 0;
  #canvases = null; // {size, full, small}: for blurring
  #out = null; // the painted pixels

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

  changed(name, before) {
    if (["time", "inputs"].includes(name) || (name === "params" && this.#choosesOther(before))) this.#soon();
    if (["params", "camera"].includes(name)) this.#paintSoon();
    this.redraw();
  }

  /** Return whether the params choose another background frame or depth than `before`. */
  #choosesOther(before) {
    return LOADED.some((role) => this.#value(role) !== valueOfRole(this.operation, before, role));
  }

  /** Play the clip in place of the still. */
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

  #value(role) {
    return valueOfRole(this.operation, this.params, role);
  }

  /** The matte and the background of the tool: ids, "auto", or nothing. */
  get #chosen() {
    const { operation, inputs } = this;
    return { matte: inputs[inputOfRole(operation, "matte")], backdrop: inputs[inputOfRole(operation, "backdrop")] };
  }

  get #mattePort() {
    return this.operation.inputs[inputOfRole(this.operation, "matte")];
  }

  /** Whether there is a matte, or the server can make one. */
  get #hasMatte() {
    const { matte } = this.#chosen;
    return Boolean(matte) && (matte !== "auto" || canMake(this.store.operations, this.#mattePort));
  }

  async #load() {
    const { store, record, time } = this;
    const number = (this.#asked += 1);
    if (!this.#hasMatte) return;
    const { matte, backdrop } = this.#chosen;
    const { signal } = this.#closing;
    if (this.#stills?.matte !== matte) {
      this.#stills?.close();
      this.#stills = new Stills(store, record, { matte, port: this.#mattePort, signal });
    }
    this.note = this.isReady ? "" : matte === "auto" ? "Making the matte of this frame…" : "Loading the matte…";
    try {
      const [still, picture] = await Promise.all([this.#stills.at(time), this.#background(backdrop)]);
      if (number !== this.#asked || signal.aborted) return;
      this.#still = still;
      this.#picture = picture;
      if (this.#estimate?.key !== estimateKey(backdrop, time)) this.#estimate = null; // it belongs to another moment
      this.#exposure = null;
      Object.assign(this, { isReady: true, note: "" });
      this.#paint();
      this.#canvas.dataset.time = time;
      if (this.isLive) this.tell("stage", { canvas: this.#canvas });
      this.#estimateSoon(matte, backdrop, time);
      this.#exposeSoon(matte, time);
    } catch (error) {
      if (!signal.aborted && error.name !== "AbortError" && number === this.#asked) this.note = error.message;
    }
  }

  /** Estimate the background's depth at a moment of the clip, and paint again. The first picture does not wait for it. */
  async #estimateSoon(matte, background, time) {
    this.isEstimating = matte !== "auto" && !this.#estimate && this.#estimatesDepth && this.#hasParallax;
    if (!this.isEstimating) return;
    const number = this.#asked;
    const estimate = await this.#estimated(background, time).catch(() => null); // the approximation stays, and the text says so
    if (number !== this.#asked) return; // another background or moment was chosen meanwhile
    this.#estimate = estimate;
    this.isEstimating = false;
    this.#paint();
  }

  /** Measure the exposure of the frame in its shot, and paint again. The first picture does not wait for it. */
  async #exposeSoon(matte, time) {
    const [number, stills] = [this.#asked, this.#stills];
    this.isMeasuring = matte !== "auto" && this.#followsExposure;
    if (!this.isMeasuring) return;
    const [start, length, window] = ["part_start", "part_length", "exposure_window"].map((role) => this.#value(role));
    const part = { start: typeof start === "number" ? start : 0, end: typeof length === "number" ? (Number(start) || 0) + length : null };
    const measured = async () => {
      const cuts = await cutsOf(this.store, this.record);
      return cuts && stills.exposureAt(time, { ...part, cuts, window });
    };
    const exposure = await measured().catch(() => null); // the text says that it is missing
    if (number !== this.#asked) return; // another moment was chosen meanwhile
    this.#exposure = exposure;
    this.isMeasuring = false;
    this.#paint();
  }

  /** Return the address of a moving background's frame at `time` of the clip. Both begin with their first frame at or after their start, as in a render. */
  async #frameOf(record, time) {
    const { api } = this.store;
    const [clip, frames] = await Promise.all([timesOf(api, this.record), timesOf(api, record)]);
    const part = this.#value("part_start");
    const passed = Math.max(0, clip.times[clip.numberAt(time)] - clip.times[clip.firstFrom(typeof part === "number" ? part : 0)]);
    const from = frames.times[frames.firstFrom(this.#value("backdrop_start") ?? 0)];
    const length = Math.max(frames.end - from, 1e-3);
    const moment = from + (this.#value("backdrop_end") === "loop" ? passed % length : passed);
    return `/v1/media/${record.id}/frame?n=${frames.numberAt(moment)}`;
  }

  /** Return the background's picture: {id, image}; null for a plain colour. */
  async #background(id) {
    if (!id || id === "auto") return null;
    const record = await this.store.record(id);
    const place = record.kind === "video" ? await this.#frameOf(record, this.time) : id;
    if (this.#picture?.id === place) return this.#picture;
    return { id: place, image: await this.#imageOf(place === id ? record.urls.content : place) };
  }

  /** Paint once in the next screen refresh. All moves of a slider until then count as one. */
  #paintSoon() {
    this.#due ||= requestAnimationFrame(() => {
      this.#due = 0;
      this.#paint();
    });
  }

  #paint() {
    const still = this.#still;
    if (!still) return;
    const { width, height, picture, alpha } = still;
    const canvas = this.#canvas;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const behind = this.#behind(width, height);
    const background = behind.pixels.data;
    const match = this.#picture ? matchOf((still.grid ??= gridOf(picture, width, height, alpha)), (behind.grid ??= gridOf(background, width, height)), this.#value("colour_match") ?? 0) : null;
    const wrap = this.#value("edge_light") ?? 0;
    const light = wrap > 0 ? { glow: (behind.glow ??= this.#blurred(behind.pixels, 1.5)), spill: (still.spill ??= this.#spill(still)) } : { glow: null, spill: null };
    const context = canvas.getContext("2d");
    if (this.#out?.width !== width || this.#out.height !== height) this.#out = context.createImageData(width, height);
    mixed(this.#out.data, { picture, background, alpha, match, ...light, wrap, isLinear: this.#value("mixing_space") === "linear" });
    context.putImageData(this.#out, 0, 0);
    canvas.dataset.exposure = String(this.#exposure ?? "");
  }

  /** Draw a frame's background, unless it is cached. Returns {key, pixels, glow, grid}. */
  #behind(width, height) {
    const values = BACKDROP.map((role) => this.#value(role));
    const key = JSON.stringify([width, height, this.#picture?.id, this.#estimate?.key, this.#hasParallax && this.camera, this.#exposure, ...values]);
    if (this.#drawnBehind?.key !== key) {
      this.#drawnBehind = { key, pixels: this.#backgroundPixels(width, height), glow: null, grid: null };
      expose(this.#drawnBehind.pixels.data, this.#exposure ?? 1);
    }
    return this.#drawnBehind;
  }

  #backgroundPixels(width, height) {
    const image = this.#picture?.image;
    if (image && this.#hasParallax) return this.#movedBackground(this.#estimate?.picture ?? image, width, height);
    const context = contextOf(width, height);
    const colour = this.#value("backdrop_colour") ?? "";
    context.fillStyle = image ? "#000" : COLOUR.test(colour) ? colour : "#808080";
    context.fillRect(0, 0, width, height);
    if (image) {
      const [w, h] = this.#fitted(image, width, height);
      context.drawImage(image, (width - w) / 2, (height - h) / 2, w, h);
    }
    return context.getImageData(0, 0, width, height);
  }

  /** Fit the background's picture to a frame; return its size. */
  #fitted({ naturalWidth, naturalHeight }, width, height) {
    const fit = this.#value("backdrop_fit") ?? "cover";
    if (fit === "stretch") return [width, height];
    const [across, down] = [width / naturalWidth, height / naturalHeight];
    const scale = fit === "contain" ? Math.min(across, down) : Math.max(across, down);
    return [naturalWidth * scale, naturalHeight * scale];
  }

  /** Draw the background as seen by the moved camera. */
  #movedBackground(image, width, height) {
    const [w, h] = this.#fitted(image, width, height);
    const room = this.#room(image, [Math.round(width * MARGIN), Math.round(height * MARGIN)], [w * MARGIN, h * MARGIN]);
    const view = new ImageData(width, height);
    moved(view.data, [width, height], room, { camera: this.camera, depth: this.#value("parallax") ?? 0, reach: REACH * width });
    return view;
  }

  /**
   * Return the background with a margin for motion: {picture, near, middle, size}. Cached until its inputs change. `near`: nearness of each pixel;
   * `middle`: the median nearness.
   */
  #room(image, size, [bw, bh]) {
    const key = [image.src, this.#depth?.src, ...size, bw, bh].join(" ");
    if (this.#kept?.key !== key) {
      const [width, height] = size;
      const read = (drawn) => {
        const context = contextOf(width, height);
        context.drawImage(drawn, (width - bw) / 2, (height - bh) / 2, bw, bh);
        return context.getImageData(0, 0, width, height).data;
      };
      const levels = this.#depth && read(this.#depth);
      const near = levels ? Uint8Array.from({ length: width * height }, (_, pixel) => levels[4 * pixel]) : nearnessOfRows(width, height);
      this.#kept = { key, picture: read(image), near, middle: medianOf(near), size };
    }
    return this.#kept;
  }

  /** Whether the server can estimate depth for the params. They must use an estimate, and so must a preset that can run and paints nothing. */
  get #estimatesDepth() {
    const { operation } = this;
    const isEstimated = (params) => valueOfRole(operation, params, "depth_source") === "model";
    const isFree = ({ params, install }) => !install && !valueOfRole(operation, params, "painted_scene");
    return isEstimated(this.params) && (operation.presets ?? []).some((preset) => isFree(preset) && isEstimated(preset.params));
  }

  /** Run a short preview that estimates a background's depth at a moment. Returns {key, picture, depth}. */
  async #estimated(id, time) {
    const { store, record, inputs, operation } = this;
    const job = await previewOf(store.api, operation, { inputs: { ...inputs, [inputOf(operation)]: record.id }, params: {}, at: time, seconds: 1, slot: "depth" });
    const [picture, depth] = await Promise.all(["backdrop", "depth"].map((role) => this.#imageOf(outputOfRole(job, role, store.operations).urls.content)));
    return { key: estimateKey(id, time), picture, depth };
  }

  async #imageOf(path) {
    const { url } = await this.store.api.mediaUrl(path, this.#closing.signal);
    const image = Object.assign(new Image(), { src: url });
    await image.decode();
    return image;
  }

  get #depth() {
    return this.#estimate?.depth ?? null;
  }

  /** Return how strongly the background's light reaches each pixel, 0 to 255. */
  #spill({ width, height, alpha }) {
    const outside = new ImageData(width, height);
    for (let pixel = 0; pixel < alpha.length; pixel += 1) outside.data.set([255 - alpha[pixel], 0, 0, 255], 4 * pixel);
    const red = this.#blurred(outside, 1);
    return Uint8Array.from({ length: alpha.length }, (_, pixel) => red[4 * pixel]);
  }

  /** Blur a picture; return its pixels. `reach`: in sixtieths of the height. The picture is blurred at a quarter of its size, where that is quick. */
  #blurred(pixels, reach) {
    const { width, height } = pixels;
    const size = `${width} ${height}`;
    if (this.#canvases?.size !== size) this.#canvases = { size, full: contextOf(width, height), small: contextOf(Math.ceil(width / 4), Math.ceil(height / 4)) };
    const { full, small } = this.#canvases; // kept: new ones for each move of a slider are slow
    for (const context of [full, small]) context.globalCompositeOperation = "copy"; // a blurred border lets the pixels before it through
    full.putImageData(pixels, 0, 0);
    small.filter = `blur(${(Math.max(1, height / 60) * reach) / 4}px)`;
    small.drawImage(full.canvas, 0, 0, small.canvas.width, small.canvas.height);
    full.imageSmoothingQuality = "high";
    full.drawImage(small.canvas, 0, 0, width, height);
    return full.getImageData(0, 0, width, height).data;
  }

  get #hasParallax() {
    return Boolean(paramOf(this.operation, "role", "parallax")) && Boolean(this.#picture) && this.#value("depth_source") !== "plane";
  }

  /** Return whether the background follows the exposure of the clip. */
  get #followsExposure() {
    return Boolean(paramOf(this.operation, "role", "exposure_window")) && Boolean(this.#picture);
  }

  get #exposureText() {
    if (!this.#followsExposure || this.#exposure !== null) return "";
    return this.isMeasuring ? " Measuring the exposure of the shot…" : " The clip's changes of exposure appear only in the preview and the result.";
  }

  get #parallaxText() {
    if (!this.#hasParallax) return "";
    if (this.#depth) return " Parallax uses the estimated depth of the background.";
    const approximation = "lower parts of the picture count as nearer";
    return this.isEstimating ? ` Estimating the depth of the background for this moment; until then, ${approximation}.` : ` Parallax is approximate here: ${approximation}.`;
  }

  view() {
    const { isLive, note, isReady, time } = this;
    if (!this.#hasMatte) return html`<p class="muted small composite-note">Choose a matte to see the composite here.</p>`;
    const declared = parametersOf(this.operation.params);
    const sliders = SLIDERS.map((role) => declared.find((parameter) => parameter.role === role)).filter(Boolean);
    return html`<section class="composite-bench" aria-label="Composite of one frame">
      <div class="bench-bar">
        <button type="button" aria-pressed=${String(isLive)} @click=${() => this.#setLive(!isLive)}>${isLive ? "Show the clip" : "Show the composite"}</button>
        ${isLive && isReady && sliders.map(({ name, role, label, max }) => (role !== "parallax" || this.#hasParallax) && html`<label>${label} <input type="range" min="0" max=${max} step="0.01" .value=${String(this.#value(role) ?? 0)}
          @input=${(event) => this.tell("param", { name, value: Number(event.target.value) })}></label>`)}
        ${isLive && isReady && this.#hasParallax && html`<label>Camera <input type="range" min="-1" max="1" step="0.01" .value=${String(this.camera)} @input=${(event) => (this.camera = Number(event.target.value))}></label>`}
      </div>
      <p class="muted small" role="status">${note || (isReady ? `The frame at ${position(time)}. Fine hair, grain and shadows appear only in the preview and the result.${this.#parallaxText}${this.#exposureText}` : "")}</p>
    </section>`;
  }
}

/** Return the key of a depth estimate: its background and moment of the clip. */
function estimateKey(background, time) {
  return `${background} ${time}`;
}

/** Make a canvas for reading pixels; return its context. */
function contextOf(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height }).getContext("2d", { willReadFrequently: true });
}

Element.define("composite-bench", CompositeBench);
