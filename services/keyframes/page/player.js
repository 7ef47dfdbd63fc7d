// Player of the clip. The suite sends the clip if it served this page, else the user chooses a file. Without a clip, keyframes are shown.

import { byId } from "./dom.js";

/** Player of the clip. `onTime(seconds)`: called when the position changes. `onState()`: called when the clip loads, plays, pauses or fails. */
export class Player {
  #video = byId("video");
  #glance = byId("glance"); // a small second player that follows the pointer
  #chosen = new Map(); // video -> address of the file that the user chose
  #target = null; // time to seek to after the current seek
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

  /** Switch to another video of the page. */
  open(video) {
    this.current = video;
    this.failed = false;
    this.#load(this.#chosen.get(video) ?? video.media);
  }

  /** Play a file from this computer as the clip. */
  choose(file) {
    const before = this.#chosen.get(this.current);
    if (before) URL.revokeObjectURL(before);
    const url = URL.createObjectURL(file);
    this.#chosen.set(this.current, url);
    this.failed = false;
    this.#load(url);
  }

  /** Whether the clip can be played. */
  get ready() {
    return this.#video.readyState >= 1 && Boolean(this.#video.videoWidth);
  }

  get playing() {
    return !this.#video.paused && !this.#video.ended;
  }

  /** Address of the clip; null until it is ready. */
  get address() {
    return this.ready ? this.#video.currentSrc : null;
  }

  /** Whether the user has to choose a file. No server has the clip, or this browser cannot play it. */
  get needsFile() {
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

  /** Seek to a time. During a seek only the latest request is kept. */
  seek(time) {
    this.#target = time;
    if (this.ready && !this.#video.seeking) this.#continueSeek();
  }

  mute() {
    this.#video.muted = !this.#video.muted;
    this.#onState();
  }

  get muted() {
    return this.#video.muted;
  }

  /** Move the small player to a time and return it; null without a clip. */
  glance(time) {
    if (!this.ready) return null;
    if (this.#glance.getAttribute("src") !== this.address) this.#glance.src = this.address;
    if (!this.#glance.seeking) this.#glance.currentTime = Math.min(time, Math.max(this.#video.duration - 0.01, 0));
    return this.#glance;
  }

  #continueSeek() {
    if (this.#target === null) return;
    // Slightly after the frame's time: rounding could show the previous frame.
    this.#video.currentTime = Math.min(this.#target + 0.001, Math.max(this.#video.duration - 0.001, 0));
    this.#target = null;
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
