// The player: source and result side by side, with common controls.

import { byId, chosen, show } from "../base/dom.js";
import { position } from "../base/format.js";

const LARGEST_DRIFT_S = 0.2; // a larger drift is corrected by seeking, a smaller one by the playback rate
const RATES = { min: 0.0625, max: 16 }; // the rates that browsers support

/** The player. Calls `onTime(seconds)` with the position in the source whenever it changes. */
export class Player {
  #videos = { source: byId("source-video"), result: byId("result-video") };
  #times = { source: byId("source-time"), result: byId("result-time") };
  #notes = { source: byId("source-note"), result: byId("result-note") };
  #held = { source: null, result: null }; // the shown {url, release}
  #ramp = null;
  #playing = false;
  #onTime;

  constructor(onTime) {
    this.#onTime = onTime;
    byId("play").addEventListener("click", () => (this.#playing ? this.pause() : this.play()));
    byId("scrub").addEventListener("input", () => this.#seekLead(Number(byId("scrub").value)));
    byId("pace").addEventListener("change", () => this.#seekLead(this.#position));
    byId("sound").addEventListener("change", () => this.#setSound());
    byId("fullscreen").addEventListener("click", () => this.#shown.requestFullscreen());
    for (const video of Object.values(this.#videos)) {
      video.addEventListener("loadedmetadata", () => this.#refresh());
      video.addEventListener("seeked", () => this.#showTime());
      video.addEventListener("click", () => byId("play").click());
    }
    this.#videos.source.addEventListener("error", () => this.#unplayable("source"));
    this.#videos.result.addEventListener("error", () => this.#unplayable("result"));
    this.#refresh();
  }

  /** Show a video on a `side`, "source" or "result". `held`: {url, release}, or null to remove it. */
  set(side, held) {
    this.pause();
    const video = this.#videos[side];
    this.#held[side]?.release();
    this.#held[side] = held;
    show(video, held !== null);
    if (held) video.src = held.url;
    else video.removeAttribute("src");
    video.load();
    this.#refresh();
  }

  /** Set the Ramp that maps source time to result time; null if there is none. */
  setRamp(ramp) {
    this.#ramp = ramp;
    this.#refresh();
  }

  /** Seek to a time of the source, in seconds. */
  seekSource(time) {
    this.#seekLead(this.#follows ? this.#ramp.outAt(time) : time);
  }

  play() {
    if (!this.#ready(this.#lead)) return;
    if (this.#lead.ended || this.#position >= this.#length - 0.02) this.#seekLead(0);
    this.#playing = true;
    this.#setSound();
    for (const video of this.#both) if (video.currentTime < video.duration) video.play().catch(() => {});
    this.#refresh();
    requestAnimationFrame(() => this.#step());
  }

  pause() {
    this.#playing = false;
    for (const video of Object.values(this.#videos)) video.pause();
    this.#refresh();
  }

  #ready(video) {
    return !video.hidden && video.duration > 0;
  }

  get #both() {
    return Object.values(this.#videos).filter((video) => this.#ready(video));
  }

  get #shown() {
    return this.#ready(this.#videos.result) ? this.#videos.result : this.#videos.source;
  }

  /** Whether the source follows the result along the ramp. */
  get #follows() {
    return this.#ramp !== null && this.#both.length === 2 && chosen(byId("pace")) === "moment";
  }

  /** The video that sets the time: the result if the source follows it, else the longer video. */
  get #lead() {
    const [first, second] = this.#both;
    if (!second || this.#follows) return this.#shown;
    return first.duration >= second.duration ? first : second;
  }

  get #position() {
    return this.#lead.currentTime || 0;
  }

  get #length() {
    return this.#lead.duration || 0;
  }

  #seekLead(time) {
    const lead = this.#lead;
    for (const video of this.#both) {
      video.playbackRate = 1;
      const own = video === lead || !this.#follows ? time : this.#ramp.sourceAt(time);
      video.currentTime = Math.min(own, Math.max(0, video.duration - 0.001));
      if (this.#playing && own < video.duration) video.play().catch(() => {});
    }
    this.#refresh();
  }

  #step() {
    if (!this.#playing) return;
    if (this.#lead.ended) {
      if (!byId("loop").checked) return void this.pause();
      this.#seekLead(0);
    } else if (this.#follows) {
      this.#keepUp();
    }
    this.#showTime();
    requestAnimationFrame(() => this.#step());
  }

  /** Adjust the playback rate of the source so that it shows the same moment as the result. */
  #keepUp() {
    const { source, result } = this.#videos;
    const target = this.#ramp.sourceAt(result.currentTime);
    const behind = target - source.currentTime;
    if (source.seeking || result.seeking) return;
    if (Math.abs(behind) > LARGEST_DRIFT_S) source.currentTime = target;
    const rate = this.#ramp.speedAt(target) * (1 + Math.min(Math.max(behind * 3, -0.5), 0.5));
    source.playbackRate = Math.min(Math.max(rate, RATES.min), RATES.max);
    if (source.paused && target < source.duration - 0.05) source.play().catch(() => {});
  }

  #setSound() {
    const heard = this.#both.length === 2 ? chosen(byId("sound")) : chosen(byId("sound")) === "off" ? "off" : "any";
    this.#videos.source.muted = heard !== "source" && heard !== "any";
    this.#videos.result.muted = heard !== "result" && heard !== "any";
  }

  #refresh() {
    const ready = this.#both.length > 0;
    const play = byId("play");
    play.disabled = !ready;
    play.classList.toggle("playing", this.#playing);
    play.setAttribute("aria-label", this.#playing ? "Pause" : "Play");
    byId("fullscreen").disabled = !ready;
    byId("scrub").disabled = !ready;
    byId("scrub").max = String(this.#length || 1);
    for (const radio of byId("pace").querySelectorAll("input")) radio.disabled = this.#ramp === null || this.#both.length < 2;
    for (const radio of byId("sound").querySelectorAll("input")) radio.disabled = !ready;
    this.#showTime();
  }

  #showTime() {
    const scrub = byId("scrub");
    scrub.value = String(this.#position);
    scrub.setAttribute("aria-valuetext", `${position(this.#position)} of ${position(this.#length)}`);
    for (const [side, video] of Object.entries(this.#videos)) {
      const text = this.#ready(video) ? `${position(video.currentTime)} / ${position(video.duration)}` : "";
      this.#times[side].textContent = text;
    }
    const { source, result } = this.#videos;
    if (this.#ready(source)) this.#onTime(source.currentTime);
    else this.#onTime(this.#ramp && this.#ready(result) ? this.#ramp.sourceAt(result.currentTime) : 0);
  }

  #unplayable(side) {
    if (!this.#held[side]) return;
    show(this.#videos[side], false);
    show(this.#notes[side], true, "This browser cannot play this kind of file. Operations still work on it.");
    this.#refresh();
  }
}
