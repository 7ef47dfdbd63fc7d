// The result beside its source: the same frame of both at any moment, in one canvas. Without exact frames, the result's own video.

import { Element } from "../base/element.js";
import { html } from "../base/html.js";
import { icon } from "../base/icons.js";
import { position } from "../base/format.js";
import { rateOf } from "../base/words.js";
import { driveByKeys } from "../viewer/keys.js";
import { FrameSource } from "../viewer/frame_source.js";
import { mappingOf } from "./mapping.js";
import { Pair } from "./pair.js";
import { DIFFERENCE, paintMatte, paintPair } from "./paint.js";

const MODES = [["result", "Result"], ["source", "Source"], ["wipe", "Wipe"], ["side", "Side by side"], ["difference", "Difference"]];
const MATTES = [["checker", "Cut-out"], ["gray", "Matte"], ["colour", "Colour"], ["overlay", "Overlay"], ["picture", "Picture"]];
const AHEAD = 10;
const LABELLED = 0.15; // share of the width that a side of the wipe needs for its label

class CompareView extends Element {
  static props = {
    store: null, job: null, clip: null, output: null, matte: null,
    mode: "result", at: 0.5, note: "", number: 0, isPlaying: false, isMuted: false, isExact: false, isPlain: false, url: "", colour: "#1d8f4e", background: null, speed: 0,
    videoTime: 0,
  };
  #opening = new AbortController();
  #pair = null;
  #packed = null; // FrameSource of picture and matte
  #loop = 0;
  #flipped = null; // what is shown again when the flip ends
  #scratch = document.createElement("canvas");

  enter() {
    driveByKeys(this, this.leaving);
    this.#open();
  }

  leave() {
    this.#close();
  }

  changed(name) {
    if ((name === "output" || name === "clip") && this.isConnected) this.#open();
    else if (["mode", "at", "colour", "background"].includes(name)) this.#paint();
    this.redraw();
  }

  #close() {
    this.#opening.abort();
    cancelAnimationFrame(this.#loop);
    this.#pair?.close();
    this.#packed?.close();
    this.#pair = this.#packed = null;
  }

  async #open() {
    this.#close();
    const { signal } = (this.#opening = new AbortController());
    Object.assign(this, { number: 0, isPlaying: false, isExact: false, isPlain: false, note: "", mode: "result" });
    const { store, output, clip } = this;
    const held = await store.api.mediaUrl(output.urls.content, signal).catch((error) => ({ error }));
    if (signal.aborted) return;
    if (held.error) return void (this.note = held.error.message);
    this.url = held.url;
    if (output.kind !== "video") return;
    try {
      const [name] = Object.entries(this.job.outputs).find(([, { id }]) => id === output.id) ?? [];
      const map = clip?.kind === "video" ? mappingOf(this.job, store.operations, { rate: rateOf(output.media), output: name, clip: clip.id }) : null;
      const pair = await Pair.open(store.api, map && clip, output, map, { signal });
      if (signal.aborted) return void pair.close();
      this.#pair = pair;
      this.number = Math.min(Math.floor((this.querySelector("video")?.currentTime ?? 0) * pair.result.rate), pair.count - 1);
      this.isExact = true;
    } catch (error) {
      if (!signal.aborted && error.name !== "AbortError") this.isPlain = true; // the result plays, without a comparison
    }
  }

  get rate() {
    return this.#pair?.result.rate ?? 30;
  }

  get duration() {
    return this.#pair?.duration ?? this.output.media?.duration_s ?? 0;
  }

  get time() {
    return this.mode === "result" || !this.#pair ? this.videoTime : (this.#pair.result.samples[this.number]?.time ?? 0);
  }

  /** Whether a canvas shows the picture. In "result" mode the file itself plays, with its sound. */
  get #isCanvas() {
    return this.mode !== "result" && this.isExact;
  }

  toggle() {
    if (this.isPlaying) this.pause();
    else this.play();
  }

  play() {
    const video = this.querySelector("video");
    if (!this.#isCanvas) return void video?.play().catch(() => {});
    this.isPlaying = true;
    const last = this.#frameCount - 1;
    if (this.number >= last) this.number = 0;
    const began = performance.now() - (this.number / this.rate) * 1000;
    const step = (now) => {
      if (!this.isPlaying) return;
      let wanted = Math.floor(((now - began) / 1000) * this.rate);
      if (wanted > last) {
        this.number = 0;
        this.isPlaying = false;
        return void this.play();
      }
      wanted = Math.max(0, wanted);
      this.#askAhead(wanted);
      if (wanted !== this.number && this.#peek(wanted)) {
        this.number = wanted;
        this.#paintNow(this.#peek(wanted));
      }
      this.#loop = requestAnimationFrame(step);
    };
    this.#askAhead(this.number);
    this.#loop = requestAnimationFrame(step);
    return undefined;
  }

  pause() {
    cancelAnimationFrame(this.#loop);
    this.isPlaying = false;
    this.querySelector("video")?.pause();
    this.speed = 0;
  }

  shuttle(speed) {
    if (speed > 0) this.play();
    else this.step(-5);
  }

  mute() {
    this.isMuted = !this.isMuted;
  }

  fullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.querySelector(".stage").requestFullscreen?.().catch(() => {});
  }

  step(frames) {
    this.pause();
    const now = this.#isCanvas ? this.number : Math.floor(this.videoTime * this.rate + 1e-3);
    this.#goTo(now + frames);
  }

  seek(time) {
    this.#goTo(Math.floor(time * this.rate + 1e-3));
  }

  #goTo(number) {
    const bounded = Math.min(Math.max(number, 0), Math.max(0, this.#frameCount - 1));
    this.number = bounded;
    const video = this.querySelector("video");
    if (video) video.currentTime = (bounded + 0.5) / this.rate;
    this.#paint();
  }

  get #frameCount() {
    return this.#isMatte ? (this.#packed?.count ?? 1) : (this.#pair?.count ?? Math.round(this.duration * this.rate));
  }

  get #isMatte() {
    return this.mode.startsWith("matte-");
  }

  #askAhead(number) {
    if (!this.#isMatte) return this.#pair?.askAhead(number, AHEAD);
    for (let next = number; next < Math.min(number + AHEAD, this.#packed.count); next += 1)
      if (!this.#packed.isAsked(next)) this.#packed.frame(next).catch(() => {});
    return undefined;
  }

  #peek(number) {
    return this.#isMatte ? this.#packed?.peek(number) : this.#pair?.peek(number);
  }

  async #paint() {
    if (!this.#isCanvas || this.isPlaying) return;
    const { number, mode } = this;
    try {
      const frames = this.#isMatte ? await this.#packed?.frame(Math.min(number, this.#packed.count - 1)) : await this.#pair.frames(number);
      if (frames && this.number === number && this.mode === mode) this.#paintNow(frames);
    } catch (error) {
      if (error.name !== "AbortError") this.note = error.message;
    }
  }

  #paintNow(frames) {
    const canvas = this.querySelector("canvas");
    if (!canvas) return;
    const frame = this.#isMatte ? frames : frames.after;
    const height = this.#isMatte ? frame.displayHeight / 2 : frame.displayHeight;
    const width = frame.displayWidth * (this.mode === "side" ? 2 : 1);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    if (this.#isMatte) paintMatte(context, this.mode.slice(6), frame, { colour: this.colour, background: this.background, scratch: this.#scratch });
    else paintPair(context, this.mode, frames, this.at);
    canvas.dataset.frame = this.number;
  }

  drawn() {
    const video = this.querySelector("video");
    if (video) Object.assign(video, { muted: this.isMuted });
    if (this.#isCanvas && !this.isPlaying) this.#paint();
  }

  async #setMode(mode) {
    this.pause();
    const time = this.time;
    if (mode.startsWith("matte-") && !this.#packed) {
      this.note = "Loading the matte…";
      try {
        const query = `?alpha=${this.matte.id}`;
        this.#packed = await FrameSource.open(this.store.api, this.clip.id, { query, signal: this.#opening.signal });
        this.note = "";
      } catch (error) {
        this.note = error.message;
        return;
      }
    }
    this.mode = mode;
    this.seek(time);
  }

  view() {
    const { output, note } = this;
    const { width = 16, height = 9 } = output.media ?? {};
    const shape = (width / height) * (this.mode === "side" ? 2 : 1);
    return html`<div class="viewer">
      ${output.kind === "video" && this.#modes()}
      <div class="stage" :--shape=${shape} @dblclick=${() => this.fullscreen()}>
        <div class="fit">${this.#content()}</div>
        ${note && html`<p class="stage-note" role="status">${note}</p>`}
      </div>
      ${output.kind === "video" && this.#transport()}
    </div>`;
  }

  #modes() {
    if (this.isPlain) return html`<div class="compare-bar"></div>`;
    if (!this.isExact) return html`<div class="compare-bar"><span class="muted small">Preparing the comparison…</span></div>`;
    const modes = this.#pair?.source ? MODES : MODES.slice(0, 1);
    const mattes = this.matte && this.clip ? MATTES.filter(([name]) => name !== "picture" || this.background) : [];
    const button = ([name, label]) => html`<button type="button" aria-pressed=${String(this.mode === name)} @click=${() => this.#setMode(name)}>${label}</button>`;
    return html`<div class="compare-bar">
      <div class="segments" role="group" aria-label="Compare">${modes.map(button)}</div>
      ${modes.length > 1 && html`<button type="button" class="quiet flip" title="Hold to see the source" aria-pressed=${String(this.#flipped !== null)}
        @pointerdown=${(event) => { event.currentTarget.setPointerCapture(event.pointerId); this.#flip(true); }}
        @pointerup=${() => this.#flip(false)} @pointercancel=${() => this.#flip(false)} @contextmenu=${(event) => event.preventDefault()}
        @keydown=${(event) => [" ", "Enter"].includes(event.key) && (event.preventDefault(), this.#flip(true))}
        @keyup=${(event) => [" ", "Enter"].includes(event.key) && this.#flip(false)}>Flip</button>`}
      ${mattes.length > 0 && html`<div class="segments" role="group" aria-label="Matte">${mattes.map(([name, label]) => button([`matte-${name}`, label]))}</div>
        <input type="color" ?hidden=${!["matte-colour", "matte-overlay"].includes(this.mode)} aria-label="Colour behind the subject" .value=${this.colour} @input=${(event) => (this.colour = event.target.value)}>
        <label class="button quiet">Background…<input type="file" class="unseen" accept="image/*" aria-label="Picture behind the subject" @change=${(event) => this.#pickBackground(event.target)}></label>`}
    </div>`;
  }

  /** Show the source while the button is held, at the same moment. Then show the previous picture again. */
  async #flip(isHeld) {
    if (isHeld === (this.#flipped !== null)) return;
    const shown = isHeld ? "source" : this.#flipped;
    this.#flipped = isHeld ? this.mode : null;
    await this.#setMode(shown);
  }

  #pickBackground(input) {
    const [file] = input.files;
    if (!file) return;
    const image = new Image();
    image.onload = () => {
      this.background = image;
      this.#setMode("matte-picture");
    };
    image.src = URL.createObjectURL(file);
  }

  #content() {
    const { output, url, mode } = this;
    if (output.kind === "image") return html`<media-picture class="still" .src=${output.urls.content} .alt=${"Result"}></media-picture>`;
    const isCanvas = this.#isCanvas;
    return html`
      <media-picture class="still" .src=${url ? "" : (output.urls.thumbnail ?? "")}></media-picture>
      <video class="clip" playsinline preload="auto" loop autoplay ?hidden=${isCanvas} src=${url || null} @click=${() => this.toggle()}
        @play=${() => (this.isPlaying = true)} @pause=${() => !this.#isCanvas && (this.isPlaying = false)} @timeupdate=${(event) => (this.videoTime = event.target.currentTime)} @seeked=${(event) => (this.videoTime = event.target.currentTime)}></video>
      <canvas ?hidden=${!isCanvas} @click=${() => this.toggle()} aria-label=${`Comparison: ${mode}`} role="img"></canvas>
      ${isCanvas && mode === "wipe" && this.#handle()}
      ${isCanvas && mode === "difference" && html`<span class="side-label left">Difference, amplified ${DIFFERENCE} times</span>`}
      ${isCanvas && mode === "side" && html`<span class="side-label left">Source</span><span class="side-label right">Result</span>`}
      ${isCanvas && mode === "wipe" && html`<span class="side-label left" ?hidden=${this.at < LABELLED}>Source</span><span class="side-label end" ?hidden=${this.at > 1 - LABELLED}>Result</span>`}`;
  }

  #handle() {
    const place = (event) => {
      const box = this.querySelector(".fit").getBoundingClientRect();
      this.at = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
    };
    const key = (event) => {
      const step = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
      if (!step) return;
      event.preventDefault();
      this.at = Math.min(Math.max(this.at + step, 0), 1);
    };
    return html`<div class="wipe" role="slider" tabindex="0" data-keys="own" aria-label="Border between source and result" aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(this.at * 100)}
      :--at=${this.at} @keydown=${key} @pointerdown=${(event) => event.currentTarget.setPointerCapture(event.pointerId)} @pointermove=${(event) => event.buttons & 1 && place(event)}><span></span></div>`;
  }

  #transport() {
    const { isPlaying, duration, time } = this;
    return html`<div class="transport">
      <input type="range" class="scrub" min="0" max=${duration || 1} step="any" aria-label="Position in the result" .value=${String(time)} aria-valuetext=${`${position(time)} of ${position(duration)}`}
        @input=${(event) => this.seek(Number(event.target.value))}>
      <div class="transport-row">
        <button type="button" class="icon quiet" aria-label="Previous frame" @click=${() => this.step(-1)}>${icon("previous")}</button>
        <button type="button" class="icon round" aria-label=${isPlaying ? "Pause" : "Play"} @click=${() => this.toggle()}>${icon(isPlaying ? "pause" : "play")}</button>
        <button type="button" class="icon quiet" aria-label="Next frame" @click=${() => this.step(1)}>${icon("next")}</button>
        <span class="timecode">${position(time)} <span class="muted">/ ${position(duration)}</span></span>
        <span class="gap"></span>
        <button type="button" class="icon quiet" aria-label=${this.isMuted ? "Sound on" : "Sound off"} @click=${() => this.mute()}>${icon(this.isMuted ? "mute" : "sound")}</button>
        <button type="button" class="icon quiet" aria-label="Full screen" @click=${() => this.fullscreen()}>${icon("full")}</button>
      </div>
    </div>`;
  }
}

Element.define("compare-view", CompareView);
