// The result beside its source: the same frame of both at any moment, in one canvas. Without exact frames, the result's own video.

import { Element } from "../base/element.js";
import { html } from "../base/html.js";
import { icon } from "../base/icons.js";
import { position } from "../base/format.js";
import { rateOf } from "../base/words.js";
import { driveByKeys } from "../viewer/keys.js";
import { Backdrop } from "./backdrop.js";
import { hasTimesOfClip, mappingOf } from "./mapping.js";
import { Matted } from "./matted.js";
import { Pair } from "./pair.js";
import { DIFFERENCE, paintMatte, paintPair } from "./paint.js";
import { wipeHandle } from "./wipe.js";
import "./backdrop_choice.js";

const MODES = [["result", "Result"], ["source", "Source"], ["wipe", "Wipe"], ["side", "Side by side"], ["difference", "Difference"]];
const MATTES = [["checker", "Cut-out"], ["gray", "Matte"], ["colour", "Colour"], ["overlay", "Overlay"], ["picture", "Picture"]];
const AHEAD = 10;
const LABELLED = 0.15; // share of the width that a side of the wipe needs for its label

class CompareView extends Element {
  static props = {
    store: null, job: null, clip: null, output: null, matte: null,
    mode: "result", at: 0.5, note: "", number: 0, isPlaying: false, isMuted: false, isExact: false, isPlain: false, url: "", colour: "#1d8f4e", backdrop: null, speed: 0,
    videoTime: 0,
  };
  #opening = new AbortController();
  #pair = null;
  #matted = null; // promise of the clip with its matte, once it was asked for
  #cutOut = null; // the clip with its matte, once it is open
  #loop = 0;
  #flipped = null; // the picture to show again when the flip ends
  #scratch = document.createElement("canvas");
  #askedMode = 0;
  #choosing = new AbortController(); // of the background

  enter() {
    driveByKeys(this, this.leaving);
    this.#open();
  }

  leave() {
    this.#close();
  }

  changed(name) {
    if ((name === "output" || name === "clip") && this.isConnected) this.#open();
    else if (["mode", "at", "colour", "backdrop"].includes(name)) this.#paint();
    this.redraw();
  }

  #close() {
    this.#opening.abort();
    this.#choosing.abort();
    cancelAnimationFrame(this.#loop);
    this.#pair?.close();
    this.#cutOut?.close();
    this.#pair = this.#cutOut = this.#matted = null;
  }

  async #open() {
    this.#close();
    const { signal } = (this.#opening = new AbortController());
    Object.assign(this, { number: 0, isPlaying: false, isExact: false, isPlain: false, note: "", mode: "result", backdrop: null });
    const { store, output, clip } = this;
    const held = await store.api.mediaUrl(output.urls.content, signal).catch((error) => ({ error }));
    if (signal.aborted) return;
    if (held.error) return void (this.note = held.error.message);
    this.url = held.url;
    if (output.kind !== "video") return;
    try {
      const map = clip?.kind === "video" ? mappingOf(this.job, store.operations, this.#linkOf(output)) : null;
      const pair = await Pair.open(store.api, map && clip, output, map, { signal });
      if (signal.aborted) return void pair.close();
      this.#pair = pair;
      this.number = Math.min(Math.floor((this.querySelector("video")?.currentTime ?? 0) * pair.result.rate), pair.count - 1);
      this.isExact = true;
    } catch (error) {
      if (!signal.aborted && error.name !== "AbortError") this.isPlain = true; // the result plays, without a comparison
    }
  }

  /** Return the arguments of `mappingOf` for an output of the job, with its length. */
  #linkOf(record) {
    const [output] = Object.entries(this.job.outputs).find(([, { id }]) => id === record.id) ?? [];
    return { output, clip: this.clip.id, rate: rateOf(record.media), length: record.media.duration_s };
  }

  /** Whether the matte can be shown on its clip. It needs the clip's times. */
  get #hasMatte() {
    return Boolean(this.#pair?.source && this.matte?.kind === "video") && hasTimesOfClip(this.job, this.store.operations, this.#linkOf(this.matte));
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
    cancelAnimationFrame(this.#loop);
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
      this.#shown?.askAhead(wanted, AHEAD);
      const frames = wanted !== this.number && this.#shown?.peek(wanted);
      if (frames) {
        this.number = wanted;
        this.#paintNow(frames);
      }
      this.#loop = requestAnimationFrame(step);
    };
    this.#shown?.askAhead(this.number, AHEAD);
    this.#loop = requestAnimationFrame(step);
    return undefined;
  }

  /** Copy the state of the video: playing or paused. Its events come late: in the meantime a comparison may be shown, whose canvas has its own clock. */
  #follow(video) {
    if (!this.#isCanvas) this.isPlaying = !video.paused;
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
    return this.#shown?.count ?? (this.#isMatte ? 1 : Math.round(this.duration * this.rate));
  }

  get #isMatte() {
    return this.mode.startsWith("matte-");
  }

  /** The source of the mode's pictures: both clips, or the clip with its matte. */
  get #shown() {
    return this.#isMatte ? this.#cutOut : this.#pair;
  }

  async #paint() {
    if (!this.#isCanvas || this.isPlaying) return;
    const { number, mode } = this;
    try {
      const frames = await this.#shown?.frames(number);
      if (frames && this.number === number && this.mode === mode) this.#paintNow(frames);
    } catch (error) {
      if (error.name !== "AbortError") this.note = error.message;
    }
  }

  #paintNow(frames) {
    const canvas = this.querySelector("canvas");
    if (!canvas) return;
    const frame = this.#isMatte ? frames.packed : frames.after;
    const height = this.#isMatte ? frame.displayHeight / 2 : frame.displayHeight;
    const width = frame.displayWidth * (this.mode === "side" ? 2 : 1);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    if (this.#isMatte) paintMatte(context, this.mode.slice(6), frame, { colour: this.colour, behind: frames.behind, scratch: this.#scratch });
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
    const asked = (this.#askedMode += 1);
    if (mode.startsWith("matte-") && !(await this.#loadMatte())) return;
    if (asked !== this.#askedMode) return; // another mode was chosen meanwhile
    this.pause(); // the video may have been started meanwhile
    this.mode = mode;
    this.seek(time);
  }

  /** Open the clip with its matte, once. Returns whether it is there; if not, a note says why. */
  async #loadMatte() {
    if (this.#cutOut) return true;
    const { signal } = this.#opening;
    this.note = "Loading the matte…";
    this.#matted ??= Matted.open(this.store.api, this.clip, this.matte, { pair: this.#pair, signal });
    const opening = this.#matted;
    try {
      const matted = await opening;
      if (signal.aborted) return false;
      this.#cutOut = matted;
      this.note = "";
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      if (this.#matted === opening) this.#matted = null;
      this.note = error.message;
      return false;
    }
  }

  /** Show the subject over a picture file or a medium of the library. */
  async #setBackdrop({ file, record }) {
    this.#choosing.abort();
    this.#choosing = new AbortController();
    const signal = AbortSignal.any([this.#opening.signal, this.#choosing.signal]);
    const askedMode = this.#askedMode;
    try {
      this.note = "Loading the background…";
      const backdrop = await (file ? Backdrop.ofFile(file) : Backdrop.ofRecord(this.store.api, record, signal));
      const isLoaded = await this.#loadMatte();
      if (!isLoaded || signal.aborted) return void backdrop.close();
      this.note = "";
      this.#cutOut.backdrop?.close();
      this.backdrop = this.#cutOut.backdrop = backdrop;
      if (askedMode === this.#askedMode || this.mode === "matte-picture") this.#setMode("matte-picture"); // else another was chosen meanwhile
    } catch (error) {
      if (signal.aborted) return undefined;
      this.querySelector("backdrop-choice").chosen = ""; // so that it can be chosen again
      this.note = file ? "This file is not a picture that browsers can show." : error.message;
    }
    return undefined;
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
    const mattes = this.#hasMatte ? MATTES.filter(([name]) => name !== "picture" || this.backdrop) : [];
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
        <backdrop-choice .store=${this.store} .clip=${this.clip} .matte=${this.matte} @backdrop=${(event) => this.#setBackdrop(event.detail)}></backdrop-choice>`}
    </div>`;
  }

  /** Show the source at the same moment while the button is held. Then show the previous picture again. */
  async #flip(isHeld) {
    if (isHeld === (this.#flipped !== null)) return;
    const shown = isHeld ? "source" : this.#flipped;
    this.#flipped = isHeld ? this.mode : null;
    await this.#setMode(shown);
  }

  #content() {
    const { output, url, mode } = this;
    if (output.kind === "image") return html`<media-picture class="still" .src=${output.urls.content} .alt=${"Result"}></media-picture>`;
    const isCanvas = this.#isCanvas;
    return html`
      <media-picture class="still" .src=${url ? "" : (output.urls.thumbnail ?? "")}></media-picture>
      <video class="clip" playsinline preload="auto" loop autoplay ?hidden=${isCanvas} src=${url || null} @click=${() => this.toggle()}
        @play=${(event) => this.#follow(event.target)} @pause=${(event) => this.#follow(event.target)} @timeupdate=${(event) => (this.videoTime = event.target.currentTime)} @seeked=${(event) => (this.videoTime = event.target.currentTime)}></video>
      <canvas ?hidden=${!isCanvas} @click=${() => this.toggle()} aria-label=${`Comparison: ${mode}`} role="img"></canvas>
      ${isCanvas && mode === "wipe" && wipeHandle(this.at, (at) => (this.at = at))}
      ${isCanvas && mode === "difference" && html`<span class="side-label left">Difference, amplified ${DIFFERENCE} times</span>`}
      ${isCanvas && mode === "side" && html`<span class="side-label left">Source</span><span class="side-label right">Result</span>`}
      ${isCanvas && mode === "wipe" && html`<span class="side-label left" ?hidden=${this.at < LABELLED}>Source</span><span class="side-label end" ?hidden=${this.at > 1 - LABELLED}>Result</span>`}`;
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
