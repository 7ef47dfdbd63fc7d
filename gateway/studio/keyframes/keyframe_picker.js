// The editor of a clip's keyframes and shots, on its proxy: look at any frame, choose keyframes, split and join shots, download.

import { Element } from "../base/element.js";
import { html, keyed } from "../base/html.js";
import { icon } from "../base/icons.js";
import { bytes, position } from "../base/format.js";
import { readyJson } from "../server/views.js";
import { notify } from "../common/notices.js";
import { zipParts, ZipSeries } from "../common/zip.js";
import { proxyFrames, sourceTimes } from "../server/frame_map.js";
import { History } from "../ramp/edit.js";
import { FrameSource } from "../viewer/frame_source.js";
import { driveByKeys } from "../viewer/keys.js";
import { edls } from "../timeline/exports.js";
import { csvOf, foundIn, recut, scoresOf, spansOf, timedShots, toggledCut, toggledPick } from "./picks.js";
import "./frame_tile.js";
import "./shot_timeline.js";

const AHEAD = 8;
const ZIP_BYTES = 500_000_000; // size limit of a downloaded ZIP file, which is built in memory; more pictures give several files
const ONE_DRAG_MS = 400; // longest pause between two moves of the threshold that are undone together
const KEPT_AS = "reelwright-picks-2 ";

class KeyframePicker extends Element {
  static props = {
    store: null, job: null, record: null, video: null, source: null, state: null, number: 0, note: "", isPlaying: false, speed: 0, exported: null,
  };
  #closing = new AbortController();
  #history = new History();
  #loop = 0;
  #scores = null;
  #moved = 0; // when the threshold moved last

  enter() {
    driveByKeys(this, this.leaving);
    this.#open();
  }

  leave() {
    this.#closing.abort();
    cancelAnimationFrame(this.#loop);
    this.source?.close();
  }

  async #open() {
    const { signal } = (this.#closing = new AbortController());
    this.state = kept(this.job.id) ?? foundIn(this.video);
    this.#scores = scoresOf(this.video);
    this.note = "Preparing the frames…";
    try {
      const path = `/v1/media/${this.record.id}/proxy`;
      const [source, map] = await Promise.all([FrameSource.open(this.store.api, this.record.id, { signal }), readyJson(this.store.api, `${path}/frames`, { signal })]);
      if (signal.aborted) return void source.close();
      Object.assign(this, { times: sourceTimes(map), shown: proxyFrames(map), source, note: "" });
      this.#goTo(this.state.picks[0] ?? 0);
    } catch (error) {
      if (!signal.aborted) this.note = error.message;
    }
  }

  get count() {
    return this.times?.length ?? this.video.frames;
  }

  get duration() {
    return this.record.media.duration_s ?? 0;
  }

  get rate() {
    return this.count / (this.duration || 1);
  }

  #set(state) {
    if (state === this.state) return;
    this.#history.note(this.state);
    this.#show(state);
  }

  #show(state) {
    this.state = state;
    sessionStorage.setItem(KEPT_AS + this.job.id, JSON.stringify(state));
  }

  #goTo(number) {
    this.number = Math.min(Math.max(number, 0), this.count - 1);
    this.#paint();
  }

  async #paint() {
    const { number, source } = this;
    if (!source) return;
    const frame = await source.frame(this.shown[number]).catch(() => null);
    const canvas = this.querySelector(".fit canvas");
    if (!frame || !canvas || number !== this.number) return;
    if (canvas.width !== source.width) Object.assign(canvas, { width: source.width, height: source.height });
    canvas.getContext("2d").drawImage(frame, 0, 0, canvas.width, canvas.height);
    canvas.dataset.frame = number;
  }

  toggle() {
    if (this.isPlaying) this.pause();
    else this.shuttle(1);
  }

  pause() {
    cancelAnimationFrame(this.#loop);
    Object.assign(this, { isPlaying: false, speed: 0 });
  }

  shuttle(speed) {
    cancelAnimationFrame(this.#loop);
    if (!this.source) return;
    Object.assign(this, { isPlaying: true, speed });
    if (speed > 0 && this.number >= this.count - 1) this.number = 0;
    const [from, began] = [this.number, performance.now()];
    const step = (now) => {
      const number = Math.floor(from + ((now - began) / 1000) * this.rate * speed);
      if (number < 0 || number >= this.count) return void this.pause();
      for (let next = number; Math.abs(next - number) < AHEAD && this.shown[next] !== undefined; next += Math.sign(speed))
        if (!this.source.isAsked(this.shown[next])) this.source.frame(this.shown[next]).catch(() => {});
      if (number !== this.number) this.#goTo(number);
      this.#loop = requestAnimationFrame(step);
      return undefined;
    };
    this.#loop = requestAnimationFrame(step);
  }

  step(frames) {
    this.pause();
    this.#goTo(this.number + frames);
  }

  seek(time) {
    this.pause();
    let number = Math.min(Math.floor(time * this.rate), this.count - 1);
    const { times } = this;
    while (times && number > 0 && times[number] > time + 1e-4) number -= 1;
    while (times && number + 1 < times.length && times[number + 1] <= time + 1e-4) number += 1;
    this.#goTo(number);
  }

  mute() {}

  fullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.querySelector(".stage").requestFullscreen?.().catch(() => {});
  }

  #timeOf(frame) {
    return this.times?.[frame] ?? frame / this.rate;
  }

  get #shots() {
    return timedShots(this.state, this.count, (frame) => this.#timeOf(frame), this.duration);
  }

  /** The clip's description for cut lists, with timecode from zero and without drop-frame. */
  get #listed() {
    const { record, video } = this;
    return { name: record.name, varies: video.variable_frame_rate, grid: { rate: video.constant_rate || video.frame_rate, whole: Math.max(1, Math.round(this.rate)), start: 0, drop: false } };
  }

  /** The highest threshold on the slider. */
  get #most() {
    return this.#scores.values.reduce((most, value) => Math.max(most, value), this.video.threshold * 1.25);
  }

  #threshold(value) {
    const now = performance.now();
    if (now - this.#moved > ONE_DRAG_MS) this.#history.note(this.state);
    this.#moved = now;
    this.#show(recut(this.state, value, this.video, this.#scores));
  }

  /** Download all picked frames at full size, with lists of keyframes and shots. */
  async #export() {
    const { state, store, record, times } = this;
    const stem = record.name.replace(/\.\w+$/, "");
    const { signal } = this.#closing;
    const series = new ZipSeries(ZIP_BYTES);
    let saved = 0;
    const add = (file) => {
      const full = series.add(file);
      if (full) save(full, `${stem}-keyframes-${(saved += 1)}.zip`);
    };
    try {
      for (const [index, frame] of state.picks.entries()) {
        this.exported = index;
        const response = await store.api.send("GET", `/v1/media/${record.id}/frame?n=${frame}`, { signal, limit: null });
        add({ name: `${stem}-${String(frame).padStart(6, "0")}.png`, bytes: new Uint8Array(await response.arrayBuffer()) });
      }
      const encode = (text) => new TextEncoder().encode(text);
      add({ name: "keyframes.csv", bytes: encode(csvOf(state, this.count, times)) });
      edls(this.#listed, this.#shots).forEach((text, at) => add({ name: `shots${at ? `-${at + 1}` : ""}.edl`, bytes: encode(text) }));
      save(series.end(), saved ? `${stem}-keyframes-${saved + 1}.zip` : `${stem}-keyframes.zip`);
      if (saved) notify(`The keyframes are in ${saved + 1} ZIP files, because they have more than ${bytes(ZIP_BYTES)}.`);
    } catch (error) {
      if (!signal.aborted) notify(error.message, { kind: "bad" });
    }
    this.exported = null;
  }

  drawn() {
    if (!this.isPlaying) this.#paint();
  }

  view() {
    const { record, state, note, source } = this;
    const { width = 16, height = 9 } = record.media ?? {};
    return html`<div class="viewer keyframe-picker">
      <div class="picker-view">
        <div class="stage" :--shape=${width / height}>
          <div class="fit"><media-picture class="still" .src=${source ? "" : (record.urls.thumbnail ?? "")}></media-picture>
            <canvas role="img" aria-label=${`Frame ${this.number}`} ?hidden=${!source}></canvas></div>
          ${note && html`<p class="stage-note" role="status">${note}</p>`}
        </div>
        ${state && this.#bar(state)}
      </div>
      ${state && this.#bench(state)}
    </div>`;
  }

  #bar(state) {
    const { number, isPlaying, source } = this;
    const isPicked = state.picks.includes(number);
    const isCut = state.cuts.some(({ frame }) => frame === number);
    return html`<div class="bench-bar">
      <button type="button" class="icon quiet" aria-label="Previous frame" title="Previous frame (←)" @click=${() => this.step(-1)}>${icon("previous")}</button>
      <button type="button" class="icon round" aria-label=${isPlaying ? "Pause" : "Play"} ?disabled=${!source} @click=${() => this.toggle()}>${icon(isPlaying ? "pause" : "play")}</button>
      <button type="button" class="icon quiet" aria-label="Next frame" title="Next frame (→)" @click=${() => this.step(1)}>${icon("next")}</button>
      <span class="timecode">${position(this.#timeOf(number))} <span class="muted">frame ${number}</span></span>
      <span class="gap"></span>
      <span class="together">
        <button type="button" class="icon quiet" aria-label="Undo" title="Undo" ?disabled=${!this.#history.canUndo} @click=${() => this.#show(this.#history.undo(state))}>${icon("undo")}</button>
        <button type="button" class="icon quiet" aria-label="Redo" title="Redo" ?disabled=${!this.#history.canRedo} @click=${() => this.#show(this.#history.redo(state))}>${icon("redo")}</button>
      </span>
      <button type="button" class=${isPicked ? "" : "primary"} ?disabled=${!source} @click=${() => this.#set(toggledPick(state, number))}>${icon(isPicked ? "close" : "add")}${isPicked ? "Take out" : "Pick this frame"}</button>
      <button type="button" ?disabled=${!source || number === 0} @click=${() => this.#set(toggledCut(state, number))}>${icon("cut")}${isCut ? "Join shots" : "Cut here"}</button>
    </div>`;
  }

  #bench(state) {
    const { number, record, source } = this;
    const shots = spansOf(state, this.count);
    return html`<div class="picker-bench">
      <shot-timeline .store=${this.store} .record=${record} .shots=${this.#shots} .picks=${state.picks.map((frame) => this.#timeOf(frame))} .scores=${this.#scores}
        .threshold=${state.threshold} .usual=${this.video.threshold} .time=${this.#timeOf(number)} @seek=${(event) => this.seek(event.detail)}
        @threshold=${(event) => this.#threshold(event.detail)}></shot-timeline>
      <div class="picker-head"><h2>${state.picks.length} ${state.picks.length === 1 ? "keyframe" : "keyframes"} in ${shots.length} ${shots.length === 1 ? "shot" : "shots"}</h2>
        ${this.#scores && html`<label class="check small">Threshold of cuts <input type="range" min="0.01" max="1" step="0.01" .value=${String(Math.sqrt(state.threshold / this.#most))}
          @input=${(event) => this.#threshold(Number(event.target.value) ** 2 * this.#most)}></label>`}
        <button type="button" ?disabled=${!source || !state.picks.length || this.exported !== null} @click=${() => this.#export()}>${icon("download")}${this.exported === null ? "Download these" : `${this.exported} of ${state.picks.length}…`}</button></div>
      <ol class="picker-shots" aria-label="Shots">${shots.map((shot) => keyed(shot.start, this.#shot(shot)))}</ol>
    </div>`;
  }

  #shot({ index, start, picks }) {
    return html`<li><button type="button" class="shot-name quiet small" @click=${() => this.step(start - this.number)}>Shot ${index + 1} · ${position(this.#timeOf(start))}</button>
      <ul class="picker-tiles">${picks.length ? picks.map((frame) => keyed(frame, html`<li><button type="button" class="tile" aria-label=${`Show frame ${frame}`} aria-pressed=${String(frame === this.number)}
          @click=${() => this.step(frame - this.number)}><frame-tile .source=${this.source} .index=${this.shown?.[frame] ?? 0} .label=${`Frame ${frame}`}></frame-tile></button>
          <button type="button" class="icon tile-out" aria-label=${`Take out frame ${frame}`} title="Take out" @click=${() => this.#set(toggledPick(this.state, frame))}>${icon("close")}</button></li>`))
        : html`<li class="muted small">no keyframe</li>`}</ul></li>`;
  }
}

/** Save files as a ZIP file. */
function save(files, name) {
  const url = URL.createObjectURL(new Blob(zipParts(files), { type: "application/zip" }));
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser reads the URL after the click
}

function kept(job) {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT_AS + job));
  } catch {
    return null;
  }
}

Element.define("keyframe-picker", KeyframePicker);
