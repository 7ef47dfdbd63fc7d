// Source and result side by side, under one set of controls.

import { byId, chosen, show } from "./dom.js";
import { position } from "./format.js";

const LARGEST_DRIFT_S = 0.2; // beyond it the following video is set, below it its rate is bent
const RATES = { min: 0.0625, max: 16 }; // what browsers play

/** `onTime(seconds)` is told the source's position whenever it changes. */
export class Player {
  #videos = { source: byId("source-video"), result: byId("result-video") };
  #times = { source: byId("source-time"), result: byId("result-time") };
  #notes = { source: byId("source-note"), result: byId("result-note") };
  #held = { source: null, result: null }; // {url, release} that is shown
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
      video.addEventListener("seeked", () => this.#tell());
      video.addEventListener("click", () => byId("play").click());
    }
    this.#videos.source.addEventListener("error", () => this.#unplayable("source"));
    this.#videos.result.addEventListener("error", () => this.#unplayable("result"));
    this.#refresh();
  }

  /** Show a video on one `side`, "source" or "result"; null takes it away. `held`: {url, release}. */
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

  /** How source time and result time belong together; null where they do not. */
  setRamp(ramp) {
    this.#ramp = ramp;
    this.#refresh();
  }

  /** Go to a second of the source. */
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

  /** Whether the source is played along the ramp. */
  get #follows() {
    return this.#ramp !== null && this.#both.length === 2 && chosen(byId("pace")) === "moment";
  }

  /** The video whose clock counts: the result where the source follows it, else the longer one. */
  get #lead() {
    const [one, other] = this.#both;
    if (!other || this.#follows) return this.#shown;
    return one.duration >= other.duration ? one : other;
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
    this.#tell();
    requestAnimationFrame(() => this.#step());
  }

  /** Bend the source's rate so that it shows what the result shows. */
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
    this.#tell();
  }

  #tell() {
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
    show(this.#notes[side], true, "This browser cannot play this kind of file. It can be worked on all the same.");
    this.#refresh();
  }
}
