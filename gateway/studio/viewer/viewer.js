// The viewer shows a clip or its proxy, a preview, or a curve's preview on a canvas. Below are the transport controls and the filmstrip.

import { Element } from "../base/element.js";
import { html } from "../base/html.js";
import { isHdr, playsInBrowsers, rateOf } from "../base/words.js";
import { ready } from "../server/views.js";
import { evenTimes, readTimes } from "./frame_times.js";
import { driveByKeys } from "./keys.js";
import { transport } from "./transport.js";

const SAME_S = 1e-3; // largest difference between the browser's and the server's time of the same frame
const SHOWN_AFTER_MS = 50; // time until the browser has reported which frame it shows
const PROXY_HINT = { hdr: "is HDR", other: "has a format that browsers cannot play" };

class ClipViewer extends Element {
  /**
   * Properties of the element. `overlay`: a template over the picture. `preview`: {url, label, kind, job} shown in place of the clip. `canvas`:
   * an element, too. Sends `viewer-time` with a time of the clip, and `preview-lost` if the file of the preview fails.
   */
  static props = {
    store: null, record: null, overlay: null, preview: null, canvas: null, marks: [], part: null,
    time: 0, isPlaying: false, speed: 0, note: "", isMuted: false, volume: 1, isOriginal: false, isLooping: true, frames: null, isOff: false, hasFrame: false,
  };
  #held = null;
  #reverse = 0;
  #opening = new AbortController();
  #isProxy = false;
  #ticking = false;
  #shownAt = null; // when the shown frame begins, in seconds
  #wanted = null; // number of the frame that was gone to, until something else moves the clip
  #checks = 0;
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
      if (!this.preview) this.#returnToClip();
    }
    this.redraw();
  }

  get video() {
    return this.querySelector(this.showsPreview && this.preview.kind === "video" ? "video.made" : "video.clip");
  }

  get showsPreview() {
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
    Object.assign(this, { time: 0, note: "", frames: null, hasFrame: false });
    this.#shownAt = this.#wanted = null;
    if (record.kind !== "video") return;
    this.#readFrames(signal);
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

  /** Read the numbers and times of the frames. */
  async #readFrames(signal) {
    const { media } = this.record;
    if (!media.variable_frame_rate) return void (this.frames = evenTimes(media));
    try {
      const frames = await readTimes(this.store.api, this.record);
      if (signal.aborted) return;
      this.frames = frames;
      this.tell("viewer-time", this.time); // now the frame has a number
    } catch (error) {
      if (!signal.aborted) this.note = error.message;
    }
  }

  #showWait(job, why) {
    const fraction = job.progress?.fraction;
    this.note = `This clip ${why}. Preparing a copy for your browser${fraction ? `: ${Math.floor(fraction * 100)} %` : "…"}`;
  }

  /** Show the proxy of a clip that the browser cannot play after all. */
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
    Object.assign(this, { speed, isOff: false });
    this.#wanted = null;
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
    if (this.frames && !this.showsPreview && time >= this.duration) return void this.#show(this.frames.count - 1);
    this.#wanted = null;
    return void this.#move(time);
  }

  #move(time) {
    const { video } = this;
    this.isOff = false;
    const bounded = Math.min(Math.max(time, 0), Math.max(0, (video?.duration || this.duration) - 0.001));
    this.time = bounded;
    if (video) video.currentTime = bounded;
    this.#tellTime();
  }

  /** The number of the clip's shown frame, from 0, or null. Null: it is unknown yet. */
  get number() {
    const { frames, time } = this;
    if (!frames) return null;
    return this.#wanted ?? (this.#isProxy ? frames.numberInProxy(time) : frames.numberAt(time));
  }

  /** Step by frames of the clip, or of the preview that is shown. */
  step(by) {
    this.pause();
    if (this.showsPreview) return void this.seek((Math.max(0, Math.floor(this.time * this.rate + 1e-3) + by) + 0.5) / this.rate);
    return void this.#whenNumbered(() => this.#show(this.number + by));
  }

  /** Go to frame `number` of the clip. */
  goTo(number) {
    this.pause();
    this.isOriginal = true;
    this.#whenNumbered(() => this.#show(number));
  }

  #show(number) {
    const { frames } = this;
    const bounded = Math.min(Math.max(number, 0), frames.count - 1);
    this.#wanted = bounded;
    this.#move(this.#isProxy ? frames.middleInProxy(bounded) : frames.middleOf(bounded));
  }

  /** Call `act` as soon as the numbers of the frames are known. */
  async #whenNumbered(act) {
    const { record } = this;
    if (!this.frames) {
      this.note = "Reading the times of the frames…";
      await readTimes(this.store.api, record).catch(() => null); // after `#readFrames`, which began earlier
      if (this.record !== record || !this.frames) return;
      this.note = "";
    }
    act();
  }

  /** The time at which the shown frame of the clip begins. */
  get frameTime() {
    const { frames, time, record } = this;
    if (frames && record.media.variable_frame_rate) return frames.times[this.number];
    if (!this.#isProxy && this.#shownAt !== null && this.#shownAt <= time + 1e-3) return this.#shownAt; // told by the browser
    return frames ? frames.times[this.number] : time;
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

  /**
   * Find out which frame the paused video shows. It may differ from the frame at the video's time: the proxy leaves frames out, and browsers
   * go by durations that MP4 files of varying rate state wrongly.
   */
  #check() {
    const { frames, record } = this;
    const number = (this.#checks += 1);
    if (!frames || !record.media.variable_frame_rate || this.showsPreview) return;
    const decide = () => {
      if (number !== this.#checks || this.isPlaying || this.frames !== frames) return;
      this.isOff = this.#isProxy ? frames.isLeftOut(this.number) : this.#shownAt !== null && Math.abs(this.#shownAt - frames.times[this.number]) > SAME_S;
    };
    setTimeout(decide, SHOWN_AFTER_MS);
  }

  #onTime(event) {
    if (event.target !== this.video) return;
    if (event.type === "seeked") this.#check();
    if (this.#wanted !== null) return; // the browser may round the time
    this.time = event.target.currentTime;
    this.#tellTime();
  }

  /** Send the clip's time to the enclosing elements. The time within a preview is no time of the clip. */
  #tellTime() {
    if (!this.showsPreview) this.tell("viewer-time", this.time);
  }

  /** Go back to the clip's time after a preview. */
  #returnToClip() {
    this.time = this.querySelector("video.clip")?.currentTime ?? 0;
    this.#tellTime();
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
      this.#tellTime();
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
          <button type="button" aria-pressed=${String(this.isOriginal)} @click=${() => this.#switch(true)}>Original</button>
          <button type="button" aria-pressed=${String(!this.isOriginal)} @click=${() => this.#switch(false)}>${this.preview.label}</button>
        </div>`}
      </div>
      ${record.kind === "video" && transport(this)}
    </div>`;
  }

  #switch(isOriginal) {
    this.pause();
    this.isOriginal = isOriginal;
    if (isOriginal) this.#returnToClip();
  }

  #picture() {
    const { record, preview } = this;
    if (record.kind !== "video") return html`<media-picture class="still" .src=${record.urls.content} .alt=${record.name}></media-picture>`;
    const shows = Boolean(this.showsPreview);
    return html`
      <media-picture class="still" .src=${this.hasFrame ? "" : (record.urls.thumbnail ?? "")}></media-picture>
      <video class="clip" playsinline preload="auto" ?hidden=${shows || this.canvas} src=${this.#held?.url ?? null}
        @click=${() => this.toggle()} @play=${() => (this.isPlaying = true)} @pause=${() => this.#paused()} @loadeddata=${() => (this.hasFrame = true)}
        @timeupdate=${(event) => this.#onTime(event)} @seeked=${(event) => this.#onTime(event)} @error=${() => this.#unplayable()}></video>
      ${!shows && this.isOff && html`<media-picture class="exact" .src=${`/v1/media/${record.id}/frame?n=${this.number}`}></media-picture>`}
      ${preview?.kind === "video" && html`<video class="made" playsinline preload="auto" ?hidden=${!shows} src=${preview.url}
        @click=${() => this.toggle()} @play=${() => (this.isPlaying = true)} @pause=${() => this.#paused()}
        @loadeddata=${() => shows && this.play()} @timeupdate=${(event) => this.#onTime(event)} @seeked=${(event) => this.#onTime(event)} @error=${() => this.tell("preview-lost")}></video>`}
      ${preview?.kind === "image" && shows && html`<img class="made" src=${preview.url} alt=${preview.label} @error=${() => this.tell("preview-lost")}>`}
      ${this.canvas}`;
  }

  #paused() {
    if (this.speed < 0) return;
    const { video } = this;
    if (!video || video.paused) this.isPlaying = false;
    this.#check();
  }
}

Element.define("clip-viewer", ClipViewer);
