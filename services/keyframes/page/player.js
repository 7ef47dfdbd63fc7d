// The clip itself: from the suite where it served this page, else from a file that the user chooses, else the keyframes stand in.

import { byId } from "./dom.js";

/** `onTime(seconds)`: the position has changed; `onState()`: what can be played, or whether it plays, has. */
export class Player {
  #video = byId("video");
  #glance = byId("glance"); // a second one, small, that follows the pointer
  #own = new Map(); // video -> address of the file that the user chose
  #wanted = null; // a time to go to when seeking allows
  #onTime;
  #onState;

  constructor(onTime, onState) {
    this.#onTime = onTime;
    this.#onState = onState;
    const video = this.#video;
    for (const name of ["play", "pause", "loadedmetadata", "emptied"]) video.addEventListener(name, () => onState());
    video.addEventListener("error", () => this.#failed());
    video.addEventListener("seeked", () => this.#continueSeek());
    video.addEventListener("timeupdate", () => this.playing || onTime(video.currentTime));
    video.addEventListener("play", () => this.#follow());
    video.addEventListener("click", () => this.toggle());
  }

  /** Another of the page's videos. */
  open(video) {
    this.current = video;
    this.failed = false;
    this.#load(this.#own.get(video) ?? video.media);
  }

  /** The file of the clip, from this computer. */
  choose(file) {
    const before = this.#own.get(this.current);
    if (before) URL.revokeObjectURL(before);
    const url = URL.createObjectURL(file);
    this.#own.set(this.current, url);
    this.failed = false;
    this.#load(url);
  }

  get ready() {
    return this.#video.readyState >= 1 && Boolean(this.#video.videoWidth);
  }

  get playing() {
    return !this.#video.paused && !this.#video.ended;
  }

  get address() {
    return this.ready ? this.#video.currentSrc : null;
  }

  /** Whether the clip is not at hand: nobody serves it, or it cannot be played here. */
  get wanting() {
    return !this.ready && (this.failed || !this.#video.getAttribute("src"));
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  play() {
    if (this.ready) this.#video.play().catch(() => {});
  }

  pause() {
    this.#video.pause();
  }

  /** Go to a time; while one seek is under way the next waits, and of those that wait the last counts. */
  seek(time) {
    this.#wanted = time;
    if (this.ready && !this.#video.seeking) this.#continueSeek();
  }

  mute() {
    this.#video.muted = !this.#video.muted;
    this.#onState();
  }

  get muted() {
    return this.#video.muted;
  }

  /** The small picture of the clip at a time; null where there is no clip. */
  glance(time) {
    if (!this.ready) return null;
    if (this.#glance.getAttribute("src") !== this.address) this.#glance.src = this.address;
    if (!this.#glance.seeking) this.#glance.currentTime = Math.min(time, Math.max(this.#video.duration - 0.01, 0));
    return this.#glance;
  }

  #continueSeek() {
    if (this.#wanted === null) return;
    // A hair after the frame's time, or rounding may show the frame before.
    this.#video.currentTime = Math.min(this.#wanted + 0.001, Math.max(this.#video.duration - 0.001, 0));
    this.#wanted = null;
  }

  #follow() {
    if (!this.playing) return;
    this.#onTime(this.#video.currentTime);
    requestAnimationFrame(() => this.#follow());
  }

  #load(url) {
    if (url) this.#video.src = url;
    else this.#video.removeAttribute("src");
    this.#glance.removeAttribute("src");
    this.#video.load();
    this.#onState();
  }

  #failed() {
    if (!this.#video.getAttribute("src")) return;
    this.failed = true;
    this.#onState();
  }
}
