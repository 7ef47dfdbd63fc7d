// The viewer: the clip itself or its proxy, a preview in its place, a curve's preview on a canvas; with transport and filmstrip.

import { Element } from "../base/element.js";
import { html } from "../base/html.js";
import { icon } from "../base/icons.js";
import { position } from "../base/format.js";
import { isHdr, playsInBrowsers, rateOf } from "../base/words.js";
import { ready } from "../server/views.js";
import { driveByKeys } from "./keys.js";
import "./strip.js";

const PROXY_HINT = { hdr: "is HDR", other: "has a format that browsers cannot play" };

class ClipViewer extends Element {
  /** `overlay`: a template over the picture; `preview`: {url, label, kind} shown in place of the clip; `canvas`: an element, too. */
  static props = {
    store: null, record: null, overlay: null, preview: null, canvas: null, marks: [], part: null,
    time: 0, isPlaying: false, speed: 0, note: "", isMuted: false, volume: 1, isOriginal: false, isLooping: true,
  };
  #held = null;
  #reverse = 0;
  #opening = new AbortController();
  #isProxy = false;
  #ticking = false;
  #shownAt = null; // when the shown frame begins, in seconds
  #followed = null;

  enter() {
    driveByKeys(this, this.leaving);
    this.#open();
  }

  leave() {
    this.#opening.abort();
    cancelAnimationFrame(this.#reverse);
    this.#held?.release();
    this.#held = null;
  }

  changed(name) {
    if (name === "record" && this.isConnected) this.#open();
    if (name === "preview") {
      this.isOriginal = false;
      this.pause();
    }
    this.redraw();
  }

  get video() {
    return this.querySelector(this.#showsPreview && this.preview.kind === "video" ? "video.made" : "video.clip");
  }

  get #showsPreview() {
    return this.preview && !this.isOriginal;
  }

  get rate() {
    return rateOf(this.record.media);
  }

  get duration() {
    return this.record.media.duration_s ?? 0;
  }

  /** Show the clip: itself where browsers play it, else its proxy. */
  async #open() {
    const { record } = this;
    this.#opening.abort();
    const { signal } = (this.#opening = new AbortController());
    Object.assign(this, { time: 0, note: "" });
    this.#shownAt = null;
    if (record.kind !== "video") return;
    try {
      let path = record.urls.content;
      this.#isProxy = !playsInBrowsers(record);
      if (this.#isProxy) {
        const why = isHdr(record.media) ? PROXY_HINT.hdr : PROXY_HINT.other;
        this.note = `This clip ${why}. Preparing a copy for your browser…`;
        path = await ready(this.store.api, `/v1/media/${record.id}/proxy`, { signal, onWait: (job) => this.#showWait(job, why) });
      }
      const held = await this.store.api.mediaUrl(path, signal);
      if (signal.aborted) return void held.release();
      this.#held?.release();
      this.#held = held;
      this.note = "";
    } catch (error) {
      if (!signal.aborted) this.note = error.message;
    }
    this.redraw();
  }

  #showWait(job, why) {
    const fraction = job.progress?.fraction;
    this.note = `This clip ${why}. Preparing a copy for your browser${fraction ? `: ${Math.floor(fraction * 100)} %` : "…"}`;
  }

  /** A clip that the browser refuses after all is shown by its proxy. */
  async #unplayable() {
    const { signal } = this.#opening;
    if (!this.#held || this.#isProxy) {
      this.note = "This browser cannot play the clip. All tools still work with it.";
      return;
    }
    this.#isProxy = true;
    this.note = "Preparing a copy for your browser…";
    try {
      const path = await ready(this.store.api, `/v1/media/${this.record.id}/proxy`, { signal });
      this.#held = await this.store.api.mediaUrl(path, signal);
      this.note = "";
    } catch (error) {
      if (!signal.aborted) this.note = error.message;
    }
  }

  play(speed = 1) {
    const { video } = this;
    if (!video) return;
    cancelAnimationFrame(this.#reverse);
    this.speed = speed;
    if (speed < 0) return void this.#playBackwards();
    if (video.ended || video.currentTime >= video.duration - 0.02) video.currentTime = 0;
    video.playbackRate = speed;
    video.play().catch(() => {});
  }

  pause() {
    cancelAnimationFrame(this.#reverse);
    this.speed = 0;
    for (const video of this.querySelectorAll("video")) video.pause();
    this.isPlaying = false;
    this.tell("viewer-pause");
  }

  toggle() {
    if (this.canvas) return void this.tell("viewer-toggle");
    if (this.isPlaying) this.pause();
    else this.play();
  }

  shuttle(speed) {
    this.play(speed);
  }

  #playBackwards() {
    const { video } = this;
    video.pause();
    let last = performance.now();
    this.isPlaying = true;
    const step = (now) => {
      if (!video.seeking) {
        video.currentTime = Math.max(0, video.currentTime + (this.speed * (now - last)) / 1000);
        last = now;
      }
      if (video.currentTime <= 0) return this.pause();
      this.#reverse = requestAnimationFrame(step);
      return undefined;
    };
    this.#reverse = requestAnimationFrame(step);
  }

  /** Go to a time of the shown video, in seconds. */
  seek(time) {
    const { video } = this;
    const bounded = Math.min(Math.max(time, 0), Math.max(0, (video?.duration || this.duration) - 0.001));
    this.time = bounded;
    if (video) video.currentTime = bounded;
    this.tell("viewer-time", bounded);
  }

  /** Move by frames: to the middle of the frame, where rounding cannot show its neighbour. */
  step(frames) {
    this.pause();
    const frame = Math.floor(this.time * this.rate + 1e-3) + frames;
    this.seek((Math.max(0, frame) + 0.5) / this.rate);
  }

  /** The time at which the shown frame of the clip begins: told by the browser, else computed from the frame rate. */
  get frameTime() {
    const { time, rate } = this;
    if (!this.#isProxy && this.#shownAt !== null && this.#shownAt <= time + 1e-3) return this.#shownAt;
    return Math.floor(time * rate + 1e-3) / rate;
  }

  #follow(video) {
    this.#followed = video;
    video.requestVideoFrameCallback?.((_now, { mediaTime }) => {
      this.#shownAt = mediaTime;
      if (this.#followed === video) this.#follow(video);
    });
  }

  mute() {
    this.isMuted = !this.isMuted;
  }

  fullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.querySelector(".stage").requestFullscreen?.().catch(() => {});
  }

  #onTime(event) {
    if (event.target !== this.video) return;
    this.time = event.target.currentTime;
    this.tell("viewer-time", this.time);
  }

  drawn() {
    const clip = this.querySelector("video.clip");
    if (clip && clip !== this.#followed) this.#follow(clip);
    for (const video of this.querySelectorAll("video")) {
      video.muted = this.isMuted;
      video.volume = this.volume;
      video.loop = this.isLooping;
    }
    if (this.isPlaying && !this.#ticking) this.#tick();
  }

  /** Follow the time more often than `timeupdate` does. */
  #tick() {
    this.#ticking = true;
    requestAnimationFrame(() => {
      this.#ticking = false;
      const { video } = this;
      if (!this.isPlaying || !video) return;
      this.time = video.currentTime;
      this.tell("viewer-time", this.time);
      this.#tick();
    });
  }

  view() {
    const { record } = this;
    const { width = 16, height = 9 } = record.media ?? {};
    return html`<div class="viewer">
      <div class="stage" :--shape=${width / height} @dblclick=${() => this.fullscreen()}>
        <div class="fit">
          ${this.#picture()}
          ${this.overlay}
        </div>
        ${this.note && html`<p class="stage-note" role="status">${this.note}</p>`}
        ${this.preview && html`<div class="stage-switch segments" role="group" aria-label="What is shown">
          <button type="button" aria-pressed=${String(this.isOriginal)} @click=${() => this.#show(true)}>Original</button>
          <button type="button" aria-pressed=${String(!this.isOriginal)} @click=${() => this.#show(false)}>${this.preview.label}</button>
        </div>`}
      </div>
      ${record.kind === "video" && this.#transport()}
    </div>`;
  }

  #show(isOriginal) {
    this.pause();
    this.isOriginal = isOriginal;
  }

  #picture() {
    const { record, preview } = this;
    if (record.kind !== "video") return html`<media-picture class="still" .src=${record.urls.content} .alt=${record.name}></media-picture>`;
    const shows = Boolean(this.#showsPreview);
    return html`
      <media-picture class="still" .src=${this.#held ? "" : (record.urls.thumbnail ?? "")}></media-picture>
      <video class="clip" playsinline preload="auto" ?hidden=${shows || this.canvas} src=${this.#held?.url ?? null}
        @click=${() => this.toggle()} @play=${() => (this.isPlaying = true)} @pause=${() => this.#paused()}
        @timeupdate=${(event) => this.#onTime(event)} @seeked=${(event) => this.#onTime(event)} @error=${() => this.#unplayable()}></video>
      ${preview?.kind === "video" && html`<video class="made" playsinline preload="auto" ?hidden=${!shows} src=${preview.url}
        @click=${() => this.toggle()} @play=${() => (this.isPlaying = true)} @pause=${() => this.#paused()}
        @loadeddata=${() => shows && this.play()} @timeupdate=${(event) => this.#onTime(event)} @seeked=${(event) => this.#onTime(event)}></video>`}
      ${preview?.kind === "image" && shows && html`<img class="made" src=${preview.url} alt=${preview.label}>`}
      ${this.canvas}`;
  }

  #paused() {
    if (this.speed < 0) return;
    const { video } = this;
    if (!video || video.paused) this.isPlaying = false;
  }

  #transport() {
    const { isPlaying, time, isMuted } = this;
    const isMade = this.#showsPreview && this.preview.kind === "video";
    const length = isMade ? (this.querySelector("video.made")?.duration || 0) : this.duration;
    return html`<div class="transport">
      ${!isMade && html`<clip-strip .store=${this.store} .record=${this.record} .time=${time} .marks=${this.marks} .part=${this.part}
        @seek=${(event) => this.seek(event.detail)}></clip-strip>`}
      ${isMade && html`<input type="range" class="scrub" min="0" max=${length || 1} step="any" aria-label="Position in the preview" .value=${String(time)}
        @input=${(event) => this.seek(Number(event.target.value))}>`}
      <div class="transport-row">
        <button type="button" class="icon quiet" aria-label="Previous frame" title="Previous frame (←)" @click=${() => this.step(-1)}>${icon("previous")}</button>
        <button type="button" class="icon round" aria-label=${isPlaying ? "Pause" : "Play"} title="Play or pause (space)"
          @click=${() => this.toggle()}>${icon(isPlaying ? "pause" : "play")}</button>
        <button type="button" class="icon quiet" aria-label="Next frame" title="Next frame (→)" @click=${() => this.step(1)}>${icon("next")}</button>
        <span class="timecode" title="Minutes, seconds and frame">${timecode(time, this.rate)} <span class="muted">/ ${position(length)}</span></span>
        ${Math.abs(this.speed) > 1 || this.speed < 0 ? html`<span class="badge">${this.speed}×</span>` : null}
        <span class="gap"></span>
        <button type="button" class="icon quiet optional" aria-label="Loop" aria-pressed=${String(this.isLooping)} title="Loop" @click=${() => (this.isLooping = !this.isLooping)}>${icon("loop")}</button>
        <button type="button" class="icon quiet" aria-label=${isMuted ? "Sound on" : "Sound off"} title="Sound (M)" @click=${() => this.mute()}>${icon(isMuted ? "mute" : "sound")}</button>
        <input type="range" class="volume" min="0" max="1" step="0.05" aria-label="Volume" .value=${String(isMuted ? 0 : this.volume)}
          @input=${(event) => { this.volume = Number(event.target.value); this.isMuted = this.volume === 0; }}>
        <button type="button" class="icon quiet" aria-label="Full screen" title="Full screen (F)" @click=${() => this.fullscreen()}>${icon("full")}</button>
      </div>
    </div>`;
  }
}

/** Seconds as "1:05:12": minutes, seconds and frames. */
export function timecode(time, rate) {
  const whole = Math.floor(time + 1e-6);
  const frame = Math.floor((time - whole) * rate + 1e-3);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}:${String(Math.max(0, frame)).padStart(2, "0")}`;
}

Element.define("clip-viewer", ClipViewer);
