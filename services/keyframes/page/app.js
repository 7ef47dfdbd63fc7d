// The page: state of the chosen video, scores, threshold and time, and updates of all parts.

import { Cards } from "./cards.js";
import { readVideos } from "./data.js";
import { byId, make, save } from "./dom.js";
import { csv, edls, json, qpfile, timecodeAt } from "../../../shared/timeline/exports.js";
import { Keyframes } from "./keyframes.js";
import { Player } from "./player.js";
import { handlePointer } from "../../../shared/timeline/pointer.js";
import { cutsOf, likely, shotAt, shotsOf, withKinds } from "../../../shared/timeline/shots.js";
import { clock, rateText, ratio } from "../../../shared/timeline/timecode.js";
import { oncePerFrame } from "../../../shared/timeline/once_per_frame.js";
import { Timeline } from "../../../shared/timeline/timeline.js";

const SETTLE_MS = 120; // time without a change of the threshold before cards are redrawn

class App {
  #videos = readVideos();
  #video = null;
  #method = "";
  #threshold = 0;
  #shots = [];
  #time = 0;
  #keyframes = null;
  #settling = 0;
  #player = new Player(
    (time) => this.#setTime(time, true),
    () => this.#drawPlayer(),
  );
  #timeline = new Timeline({
    canvas: byId("canvas"),
    overview: byId("overview"),
    pictureOf: (shot) => this.#keyframes?.image(shot) ?? null,
  });
  #cards = new Cards(byId("list"), { onGo: (index) => this.#goToShot(index, true), player: this.#player });
  #drawPositionSoon = oncePerFrame(() => this.#drawPosition());

  constructor() {
    this.#videos.forEach((video, index) => (video.index = index));
    const options = this.#videos.map((video, index) => make("option", { value: String(index) }, this.#label(video, index)));
    byId("videos").replaceChildren(...options);
    byId("videos-label").hidden = options.length < 2;
    byId("videos").addEventListener("change", (event) => this.#open(Number(event.target.value)));
    byId("curve").addEventListener("change", (event) => this.#showScores(event.target.value));
    byId("threshold").addEventListener("input", (event) => this.#moveThreshold(this.#fromSlider(Number(event.target.value))));
    byId("amount").addEventListener("change", (event) => Number(event.target.value) > 0 && this.#moveThreshold(Number(event.target.value)));
    byId("reset").addEventListener("click", () => this.#showScores(this.#video.method));
    byId("file").addEventListener("change", (event) => event.target.files[0] && this.#player.choose(event.target.files[0]));
    byId("prompt-file").addEventListener("change", (event) => event.target.files[0] && this.#player.choose(event.target.files[0]));
    this.#onClick("zoom-in", () => this.#zoom(1.6));
    this.#onClick("zoom-out", () => this.#zoom(1 / 1.6));
    this.#onClick("zoom-fit", () => this.#zoom(0));
    this.#onClick("play", () => this.#player.toggle());
    this.#onClick("mute", () => this.#player.mute());
    this.#onClick("before", () => this.#stepFrames(-1));
    this.#onClick("after", () => this.#stepFrames(1));
    this.#onClick("shot-before", () => this.#goToNextShot(-1));
    this.#onClick("shot-after", () => this.#goToNextShot(1));
    this.#onClick("best", () => this.#goToKeyframe());
    this.#onClick("help", () => byId("keys").showModal());
    for (const kind of ["csv", "edl", "qp", "json"]) this.#onClick(`save-${kind}`, () => this.#save(kind));
    handlePointer(this.#timeline, {
      seek: (time) => this.#seek(time),
      hover: (time, event) => this.#onHover(time, event),
      threshold: (value) => this.#moveThreshold(value),
      moved: () => this.#timeline.redraw(),
    });
    document.addEventListener("keydown", (event) => this.#onKey(event));
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => this.#onDrop(event));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#timeline.redraw());
    matchMedia("print").addEventListener("change", () => this.#timeline.draw()); // switches to print colours and back
    addEventListener("beforeprint", () => this.#print(true));
    addEventListener("afterprint", () => this.#print(false));
    this.#open(Math.max(this.#videos.findIndex((video) => !video.error), 0));
  }

  #print(printing) {
    this.#timeline.printing = printing;
    this.#timeline.draw();
  }

  #onClick(id, work) {
    byId(id).addEventListener("click", work);
  }

  #label(video, index) {
    return `${index + 1}. ${video.name}${video.error ? " (could not be read)" : ` (${video.shots.length})`}`;
  }

  #open(index) {
    const video = this.#videos[index];
    this.#video = video;
    byId("videos").value = String(index);
    byId("title").textContent = video?.name ?? "No videos";
    byId("work").hidden = !video || Boolean(video.error);
    byId("failure").hidden = !video?.error;
    byId("facts").textContent = "";
    if (!video) return;
    if (video.error) {
      byId("failure").textContent = `This video could not be read. ${video.error}`;
      this.#player.pause();
      return;
    }
    byId("facts").textContent = this.#factsText(video);
    this.#keyframes = new Keyframes(video, () => this.#timeline.redraw());
    const curves = Object.keys(video.scores?.values ?? {});
    const names = curves.map((name) => make("option", { value: name }, video.methods[name].label));
    byId("curve").replaceChildren(...names);
    byId("curve-label").hidden = curves.length < 2;
    byId("screen").style.aspectRatio = `${video.width} / ${video.height}`;
    this.#timeline.open(video);
    this.#player.open(video);
    this.#showScores(video.method);
    this.#setTime(0);
  }

  #factsText({ duration, width, height, rate, varies, shots, keyframes, grid }) {
    const fps = `${rateText(rate)} fps${varies ? " (varies)" : ""}`;
    const counts = [`${shots.length} ${shots.length === 1 ? "shot" : "shots"}`, `${keyframes.length} keyframes`];
    const from = grid.start ? [`from ${timecodeAt(this.#video, 0, 0)}`] : [];
    return [clock(duration), `${width} × ${height}`, fps, ...from, ...counts].join(" · ");
  }

  /** Show the scores of a method, at its default threshold. */
  #showScores(method) {
    const curves = this.#video.scores?.values ?? {};
    this.#method = method in curves ? method : (Object.keys(curves)[0] ?? "");
    byId("curve").value = this.#method;
    this.#moveThreshold(this.#defaultThreshold);
  }

  /** Threshold of the job if its method is shown, else the shown method's default. */
  get #defaultThreshold() {
    const { method, methods, threshold } = this.#video;
    return this.#method === method || !this.#method ? threshold : methods[this.#method].threshold;
  }

  get #values() {
    return this.#video.scores?.values[this.#method] ?? null;
  }

  /** Move the threshold. */
  #moveThreshold(threshold) {
    const video = this.#video;
    this.#threshold = threshold;
    this.#shots = this.#isMoved ? this.#findShots() : video.shots;
    this.#timeline.show({ values: this.#values, threshold, defaultThreshold: this.#defaultThreshold, shots: this.#shots });
    this.#drawThreshold();
    this.#drawPositionSoon();
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#drawCards(), byId("list").childElementCount ? SETTLE_MS : 0);
  }

  /** Whether the user moved the threshold or chose other scores. Otherwise the server's shots are shown. */
  get #isMoved() {
    return this.#values !== null && (this.#method !== this.#ownMethod || this.#threshold !== this.#defaultThreshold);
  }

  /** Method whose scores are shown first: the job's if the page has its scores. */
  get #ownMethod() {
    const names = Object.keys(this.#video.scores?.values ?? {});
    return names.includes(this.#video.method) ? this.#video.method : (names[0] ?? "");
  }

  /** Find the shots at the current threshold, from candidates or else from scores. The server would find the same. */
  #findShots() {
    const { scores, candidates, frames, duration, minShot, shots, method } = this.#video;
    const whole = { total: frames, first: shots[0].start, duration, minShot };
    if (candidates && this.#method === method) return shotsOf(likely(candidates, this.#threshold), whole);
    return withKinds(shotsOf(cutsOf(this.#values, this.#threshold, scores), whole), shots);
  }

  #drawThreshold() {
    const most = this.#timeline.most;
    const slider = byId("threshold");
    slider.disabled = byId("amount").disabled = this.#values === null;
    slider.value = String(Math.round(Math.sqrt(this.#threshold / most) * slider.max));
    slider.setAttribute("aria-valuetext", `${short(this.#threshold)}, ${this.#shots.length} shots`);
    if (document.activeElement !== byId("amount")) byId("amount").value = short(this.#threshold);
    const count = `${this.#shots.length} ${this.#shots.length === 1 ? "shot" : "shots"}`;
    byId("count").textContent = this.#isMoved ? `${count}, ${this.#video.shots.length} in the job` : count;
    byId("reset").hidden = !this.#isMoved;
  }

  #fromSlider(step) {
    const part = Math.max(step, 1) / byId("threshold").max;
    return Number(short(part * part * this.#timeline.most));
  }

  #drawCards() {
    clearTimeout(this.#settling);
    this.#cards.show(this.#video, this.#shots, (shot) => this.#keyframes.of(shot));
    this.#drawPosition();
  }

  /** Go to a time in the clip. */
  #seek(time) {
    this.#setTime(time);
    this.#player.seek(time);
  }

  #setTime(time, follow = false) {
    this.#time = Math.min(Math.max(time, 0), this.#video.duration);
    this.#timeline.time = this.#time;
    if (follow) this.#timeline.view.reveal(this.#time);
    this.#timeline.redraw();
    this.#drawPositionSoon();
  }

  #goToShot(index, play = false) {
    const shot = this.#shots[Math.min(Math.max(index, 0), this.#shots.length - 1)];
    this.#seek(shot.start);
    this.#timeline.view.reveal(shot.start);
    if (play) this.#player.play();
  }

  /** Go to the start of the next shot (`by` 1) or back (-1). The first step back goes to the start of the current shot. */
  #goToNextShot(by) {
    const index = shotAt(this.#shots, this.#time + 1e-6);
    const inside = this.#time - this.#shots[index].start > 0.3;
    this.#goToShot(by < 0 && inside ? index : index + by);
    this.#cards.reveal(shotAt(this.#shots, this.#time + 1e-6));
  }

  /** Go to the keyframe of the current shot. */
  #goToKeyframe() {
    const [best] = this.#keyframes.of(this.#shots[shotAt(this.#shots, this.#time + 1e-6)]).own;
    this.#player.pause();
    if (best) this.#seek(best.time);
  }

  #stepFrames(frames) {
    this.#player.pause();
    const times = this.#video.scores?.times;
    if (times && times.length === this.#video.frames) {
      const at = this.#frameAt(times) + frames;
      this.#seek(times[Math.min(Math.max(at, 0), times.length - 1)]);
    } else this.#seek(this.#time + frames / ratio(this.#video.rate));
    this.#timeline.view.reveal(this.#time);
  }

  #frameAt(times) {
    let low = 0;
    let high = times.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (times[middle] <= this.#time + 1e-4) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #currentFrame() {
    const times = this.#video.scores?.times;
    if (times && times.length === this.#video.frames) return this.#frameAt(times);
    return Math.min(Math.floor(this.#time * ratio(this.#video.rate) + 1e-3), this.#video.frames - 1);
  }

  #zoom(factor) {
    const { view } = this.#timeline;
    if (factor) view.zoom(factor, this.#time >= view.start && this.#time <= view.start + view.span ? this.#time : view.start + view.span / 2);
    else view.fit();
    this.#timeline.redraw();
  }

  #onHover(time, event) {
    this.#timeline.hovered = time;
    this.#timeline.redraw();
    const tip = byId("tip");
    tip.hidden = time === null;
    if (time === null) return;
    const shot = this.#shots[shotAt(this.#shots, time)];
    const score = this.#timeline.scoreAt(time);
    byId("tip-text").textContent = `${clock(time)} · shot ${shot.index + 1}${score === null ? "" : ` · ${short(score)}`}`;
    const glance = this.#player.glance(time);
    const image = glance ? null : this.#keyframes.image(shot);
    byId("glance").hidden = !glance;
    byId("tip-picture").hidden = !image;
    if (image && byId("tip-picture").src !== image.src) byId("tip-picture").src = image.src;
    const box = byId("track").getBoundingClientRect();
    const left = Math.min(Math.max(event.clientX - box.left - tip.offsetWidth / 2, 0), box.width - tip.offsetWidth);
    tip.style.transform = `translate(${Math.round(left)}px, -100%)`;
  }

  /** Update everything that depends on the current time. */
  #drawPosition() {
    const video = this.#video;
    if (!video || video.error) return;
    const index = shotAt(this.#shots, this.#time + 1e-6);
    const shot = this.#shots[index];
    const frame = this.#currentFrame();
    const when = timecodeAt(video, frame, this.#time);
    byId("now").textContent = when;
    byId("now-frame").textContent = `frame ${frame.toLocaleString("en")} of ${video.frames.toLocaleString("en")}`;
    byId("shot-title").textContent = `Shot ${index + 1} of ${this.#shots.length}`;
    const { own, substitute } = this.#keyframes.of(shot);
    const best = own[0] ?? null;
    const rows = {
      Start: `${timecodeAt(video, shot.startFrame, shot.start)}, ${kindText(shot)}`,
      End: timecodeAt(video, shot.endFrame, shot.end),
      Length: `${clock(shot.end - shot.start)}, ${(shot.endFrame - shot.startFrame).toLocaleString("en")} frames`,
      Keyframe: best ? `frame ${best.frame.toLocaleString("en")}, ${best.score.toFixed(2)}: ${best.reasons.join(", ")}` : "none",
    };
    byId("shot-facts").replaceChildren(...Object.entries(rows).flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]));
    const picture = (best ?? substitute)?.picture ?? "";
    if (byId("still").getAttribute("src") !== picture) byId("still").setAttribute("src", picture);
    byId("still").hidden = this.#player.ready || !picture;
    byId("best").hidden = !this.#player.ready || !best?.picture;
    if (!byId("best").hidden && byId("best-picture").getAttribute("src") !== best.picture) byId("best-picture").src = best.picture;
    const track = byId("track");
    track.setAttribute("aria-valuemax", video.duration.toFixed(2));
    track.setAttribute("aria-valuenow", this.#time.toFixed(2));
    track.setAttribute("aria-valuetext", `${clock(this.#time)}, shot ${index + 1} of ${this.#shots.length}`);
    this.#cards.mark(index);
  }

  #drawPlayer() {
    const { ready, playing, muted, failed, needsFile } = this.#player;
    byId("video").hidden = !ready;
    byId("prompt").hidden = !needsFile;
    byId("prompt-text").textContent = failed
      ? "This browser cannot play the clip. To watch it here, choose another copy of it, such as an MP4."
      : "Choose the clip on your computer to watch it here.";
    for (const id of ["play", "mute"]) byId(id).disabled = !ready;
    byId("play").setAttribute("aria-label", playing ? "Pause" : "Play");
    byId("play").classList.toggle("playing", playing);
    byId("mute").setAttribute("aria-pressed", String(muted));
    if (ready && !playing) this.#player.seek(this.#time);
    this.#drawPositionSoon();
  }

  #onDrop(event) {
    event.preventDefault();
    const [file] = event.dataTransfer?.files ?? [];
    if (file) this.#player.choose(file);
  }

  #save(kind) {
    const [video, shots] = [this.#video, this.#shots];
    const name = video.name.replace(/\.[^.]{1,5}$/, "").replace(/[^\p{L}\p{N}_-]+/gu, "-").slice(0, 80) || "shots";
    if (kind === "csv") save(`${name}.csv`, csv(video, shots), "text/csv");
    if (kind === "qp") save(`${name}.qp`, qpfile(video, shots), "text/plain");
    if (kind === "json") save(`${name}.json`, json(video, shots, { method: this.#method, threshold: this.#threshold }), "application/json");
    if (kind === "edl") edls(video, shots).forEach((text, at) => save(`${name}${at ? `-${at + 1}` : ""}.edl`, text, "text/plain"));
  }

  #onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("keys").open || !this.#video || this.#video.error) return;
    if (event.target.closest("select, textarea, input:not([type=file])")) return;
    const onTrack = event.target === byId("track");
    const onButton = Boolean(event.target.closest("button, label, a"));
    const work = {
      " ": onButton ? null : () => this.#player.toggle(),
      k: () => this.#player.toggle(),
      ArrowLeft: () => (event.shiftKey ? this.#seek(this.#time - 1) : this.#stepFrames(-1)),
      ArrowRight: () => (event.shiftKey ? this.#seek(this.#time + 1) : this.#stepFrames(1)),
      ArrowUp: onTrack ? () => this.#goToNextShot(-1) : null,
      ArrowDown: onTrack ? () => this.#goToNextShot(1) : null,
      j: () => this.#goToNextShot(-1),
      l: () => this.#goToNextShot(1),
      Home: onTrack ? () => this.#seek(0) : null,
      End: onTrack ? () => this.#goToShot(this.#shots.length - 1) : null,
      "+": () => this.#zoom(1.6),
      "=": () => this.#zoom(1.6),
      "-": () => this.#zoom(1 / 1.6),
      0: () => this.#zoom(0),
      "[": () => this.#moveThreshold(Number(short(this.#threshold / 1.05))),
      "]": () => this.#moveThreshold(Number(short(this.#threshold * 1.05))),
      m: () => this.#player.mute(),
      "?": () => byId("keys").showModal(),
    }[event.key];
    if (!work) return;
    event.preventDefault();
    work();
  }
}

function kindText({ kind, transition: [from, to] }) {
  const frames = to - from;
  return { start: "start of the video", cut: "cut" }[kind] ?? `${kind}${frames > 0 ? ` of ${frames} frames` : ""}`;
}

/** Format with four significant digits, without an exponent. */
function short(value) {
  return String(Number(value.toPrecision(4)));
}

new App();
