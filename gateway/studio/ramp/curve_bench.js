// The workbench of a speed ramp: curve editor, presets, exact preview.

import { Element } from "../base/element.js";
import { html } from "../base/html.js";
import { icon } from "../base/icons.js";
import { operationOfRole, paramOf } from "../base/declared.js";
import { seconds, short } from "../base/format.js";
import { rateOf } from "../base/words.js";
import { pause } from "../server/views.js";
import { analysisOf, planFor } from "../state/analysis.js";
import { clamp, History, PRESETS, presetPoints, reachableLengths, roundedPoint, simplified, stretchedTo } from "./edit.js";
import { ownPlan } from "./own_plan.js";
import { DOUBLE_PRESS, fieldsOf, pointBar } from "./point_bar.js";
import { Ramp } from "./ramp.js";
import { RampPlayer } from "./ramp_player.js";
import "./curve_editor.js";

const BEATS = "beats"; // value of the snap times that means the beats of the sound
const PLANNED_MS = 300; // pause after the last change of a setting, before the page requests a plan
const SAME_LENGTH_S = 0.05; // lengths that differ less are shown alike
const SOON_MS = 700; // longest wait for the server's plan, if the browser's own plan is not exact
const OTHER_PLAN = "The server has not applied all settings yet: this is your curve without them.";

class CurveBench extends Element {
  static props = {
    store: null, record: null, params: {}, parameter: null, viewer: null, time: 0,
    chosen: 0, analysis: null, note: "", lengthNote: "", isPlaying: false, at: null, figures: null, findsBeats: false, plan: null,
  };
  #history = new History((a, b) => a.points === b.points && a.target === b.target && a.isOfLength === b.isOfLength);
  #player = null;
  #canvas = null;
  #closing = new AbortController();
  #analysing = "";
  #analysed = null; // promise of the end of the latest analysis
  #timer = null;
  #isStarted = false;

  enter() {
    document.addEventListener("viewer-toggle", () => this.#toggle(), { signal: this.leaving });
    this.#analysed = this.#analyse();
    this.#planSoon();
  }

  leave() {
    clearTimeout(this.#timer);
    this.#player?.close();
    this.#player = null;
    this.#closing.abort();
    this.#closing = new AbortController();
  }

  changed(name) {
    if (name === "params" && this.isConnected) {
      this.stop();
      if (!this.#given) this.#analysed = this.#analyse();
      this.#planSoon();
    }
    this.redraw();
  }

  get duration() {
    return this.record.media.duration_s;
  }

  get fps() {
    return rateOf(this.record.media);
  }

  get points() {
    if (this.#given) return this.#given;
    const measured = this.plan?.isMeasured ? this.plan : this.analysis;
    if (measured?.curve.length) return this.#simple(measured);
    return [{ t: 0, speed: 1, easing: "smooth" }];
  }

  /** The points in the form; null for a measured curve. */
  get #given() {
    const given = this.params[this.parameter.name];
    return given?.length ? given : null;
  }

  /** Ask for a render's plan after a short pause. A newer request replaces an older one. */
  #planSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#planned().catch(() => {}), PLANNED_MS);
  }

  /** Ask the server for the plan of a render with the form's values. The plan has curve, frame rate and frames. Rejects with the server's problem. */
  async #planned() {
    clearTimeout(this.#timer);
    const { params } = this;
    const isMeasured = !this.#given;
    if (isMeasured) await this.#analysed; // the motion is measured once, for both
    const answer = await planFor(this.store, this.record, params);
    if (this.params === params) this.plan = { ...answer, params, isMeasured };
    return answer;
  }

  /** Simplify a measured curve to few points, which can be edited. */
  #simple(measured) {
    this.simple ??= new Map();
    if (!this.simple.has(measured)) this.simple.set(measured, simplified(measured.curve).map(roundedPoint));
    return this.simple.get(measured);
  }

  /** Measure the clip's motion with the current settings: the automatic curve, beats, cuts. */
  async #analyse() {
    const operation = operationOfRole(this.store.operations, "motion_analysis");
    if (!operation) return;
    const names = Object.keys(operation.params.properties);
    const params = Object.fromEntries(Object.entries(this.params).filter(([name]) => names.includes(name)));
    const snap = paramOf(operation, "role", "snap_times");
    if (this.findsBeats && snap) params[snap] = BEATS;
    const request = JSON.stringify(params);
    if (request === this.#analysing) return;
    this.#analysing = request;
    this.note = "Measuring the motion…";
    try {
      const analysis = await analysisOf(this.store, this.record, params);
      if (this.#analysing === request && this.isConnected) Object.assign(this, { analysis, note: "" });
    } catch (error) {
      if (this.#analysing === request && this.isConnected) this.note = error.message;
    }
  }

  /** Return the present state. `points`: null for a measured curve, so undo returns to it. `isOfLength`: whether a step also changes the target length. */
  #state(isOfLength = false) {
    return { points: this.#given, target: this.params[this.#targetName], isOfLength };
  }

  /** Return the name of the parameter with the target length. */
  get #targetName() {
    const planner = operationOfRole(this.store.operations, "ramp_plan");
    return planner && paramOf(planner, "role", "target_length");
  }

  #set(points, { keep = false, chosen = this.chosen, isOfLength = false } = {}) {
    if (!keep) this.#history.note(this.#state(isOfLength));
    this.chosen = Math.min(chosen, points.length - 1);
    this.stop();
    this.#send(points.map(roundedPoint));
  }

  /** Send a curve to the form; undefined for the measured curve. */
  #send(points) {
    this.lengthNote = "";
    this.tell("curve", points);
  }

  /** The browser's plan of the ramp; null without the service. */
  get #ownPlan() {
    return ownPlan(this.points, { record: this.record, params: this.params, operations: this.store.operations });
  }

  /** Length of the result in seconds. Without the server's plan it is that of the curve alone. */
  get #length() {
    return this.isPlanned ? this.plan.duration_s : (this.#ownPlan?.duration_s ?? new Ramp(this.points, this.duration).duration);
  }

  /** Scale all speeds to the entered length of the result. Says which length they reach. The entered length replaces the target length. */
  #setLength(target) {
    const wanted = Number(target.value);
    const { start_s: start, end_s: end } = this.#ownPlan ?? { start_s: 0, end_s: this.duration };
    target.value = this.#length.toFixed(1);
    if (!(wanted > 0 && end > start)) return;
    const { speed } = fieldsOf(this.parameter);
    const [shortest, longest] = reachableLengths(this.points, { start, end }, speed);
    const reached = clamp(wanted, shortest, longest);
    const points = stretchedTo(this.points, { start, end }, reached, speed);
    this.#set(points, { isOfLength: true });
    this.#setTarget(undefined);
    target.value = reached.toFixed(1);
    if (wanted > longest + SAME_LENGTH_S) this.lengthNote = `At most ${seconds(longest)} at ${short(speed.min)}×.`;
    if (wanted < shortest - SAME_LENGTH_S) this.lengthNote = `At least ${seconds(shortest)} at ${short(speed.max)}×.`;
  }

  #setTarget(value) {
    const name = this.#targetName;
    if (name && this.params[name] !== value) this.tell("param", { name, value });
  }

  #undo() {
    if (this.#history.canUndo) this.#go((now) => this.#history.undo(now));
  }

  #redo() {
    if (this.#history.canRedo) this.#go((now) => this.#history.redo(now));
  }

  /** Go one step of the history. It changes the target length only if the step did. `step(now)`: returns the other state. */
  #go(step) {
    const now = this.#state();
    const { points, target, isOfLength } = step(now);
    now.isOfLength = isOfLength;
    this.#send(points ?? undefined);
    if (isOfLength) this.#setTarget(target);
  }

  #key(event) {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    event.preventDefault();
    if (event.shiftKey) this.#redo();
    else this.#undo();
  }

  #preset(name) {
    if (name === "motion") {
      this.#history.note(this.#state());
      this.#send(undefined);
      return;
    }
    const at = this.time > 0.05 * this.duration ? Math.min(this.time / this.duration, 0.95) : null;
    this.#set(presetPoints(name, this.duration, this.fps, at), { chosen: 0 });
  }

  async #toggle() {
    if (this.isPlaying) return this.stop();
    if (this.#isStarted) return; // the preview is being prepared
    this.#isStarted = true;
    await this.#play();
    this.#isStarted = false;
  }

  stop() {
    this.#player?.stop();
    this.isPlaying = false;
  }

  /** Whether the server has planned the ramp of the form's values. */
  get isPlanned() {
    return this.plan?.params === this.params;
  }

  /** Return the plan to play now: the server's or the browser's. The browser's is for a given curve only. `planned`: promise of the server's. */
  async #planNow(planned) {
    const own = this.#given && !this.isPlanned ? this.#ownPlan : null;
    if (!own) return planned;
    return own.isExact ? own : Promise.race([planned, pause(SOON_MS).then(() => own)]);
  }

  /** Play the ramp up to its end, or until `stop`. */
  async #play() {
    const { signal } = this.#closing;
    this.viewer().pause();
    try {
      this.note = "Preparing the preview…";
      const planned = this.#planned();
      planned.catch(() => {}); // reported below, once the player is open
      if (!this.#player) {
        const player = new RampPlayer(this.store.api, this.record);
        await player.open(signal, (job) => (this.note = `Preparing the preview… ${job.progress ? `${Math.floor(job.progress.fraction * 100)} %` : ""}`));
        this.#player = player;
      }
      let answer = await this.#planNow(planned);
      if (signal.aborted) return;
      const { isMuted } = this.viewer();
      this.note = answer.isExact === false ? OTHER_PLAN : "";
      this.#canvas ??= Object.assign(document.createElement("canvas"), { className: "ramp-canvas" });
      const [width, height] = this.#player.size;
      Object.assign(this.#canvas, { width, height });
      this.tell("stage", { canvas: this.#canvas, preview: null });
      this.isPlaying = true;
      const context = this.#canvas.getContext("2d");
      const play = () => this.#player.play(answer, {
        from: this.at?.source ?? this.time, isMuted,
        draw: (frame, _source, number) => {
          this.#canvas.dataset.frame = number;
          context.drawImage(frame, 0, 0, width, height);
        },
        onTime: (out, source) => (this.at = { out, source }),
      });
      let newer = null;
      let isOver = false; // a late plan must not stop the next playing
      const take = (plan) => {
        if (isOver) return;
        newer = plan;
        this.#player?.stop();
      };
      if (answer.isExact === false) planned.then(take, () => {});
      let figures = await play();
      isOver = true;
      if (newer && this.isPlaying && !signal.aborted) {
        answer = newer; // the server's plan came while the browser's was played
        this.note = "";
        figures = await play();
      }
      if (figures?.frames) this.figures = figures;
      if (this.note === OTHER_PLAN) this.note = "";
    } catch (error) {
      if (error.name !== "AbortError") this.note = error.message;
    }
    const at = this.at?.source ?? this.time;
    this.isPlaying = false;
    this.at = null;
    this.tell("stage", { canvas: null });
    queueMicrotask(() => this.viewer()?.seek(Math.min(at, this.duration)));
  }

  view() {
    const { points, duration, chosen, isPlaying } = this;
    const fields = fieldsOf(this.parameter);
    const ramp = new Ramp(points, duration);
    const source = this.at?.source ?? this.time;
    const isAutomatic = !this.#given;
    const length = this.#length;
    return html`<section class="curve-bench" aria-label="Speed curve" @keydown=${(event) => this.#key(event)}>
      <div class="bench-bar">
        <button type="button" class="primary" @click=${() => this.#toggle()}>${icon(isPlaying ? "pause" : "play")}${isPlaying ? "Stop" : "Play the ramp"}</button>
        <label class="unseen" for="curve-preset">Curve</label>
        <select id="curve-preset" .value=${isAutomatic ? "motion" : "own"} @change=${(event) => this.#preset(event.target.value)}>
          <option value="motion">From motion</option>${Object.entries(PRESETS).map(([name, { title }]) => html`<option value=${name}>${title}</option>`)}
          <option value="own" disabled hidden>Own curve</option>
        </select>
        <button type="button" class="icon quiet" aria-label="Undo" title="Undo (Ctrl+Z)" ?disabled=${!this.#history.canUndo} @click=${() => this.#undo()}>${icon("undo")}</button>
        <button type="button" class="icon quiet" aria-label="Redo" title="Redo (Ctrl+Shift+Z)" ?disabled=${!this.#history.canRedo} @click=${() => this.#redo()}>${icon("redo")}</button>
        <label class="target">Result length <input type="number" min="0.1" step="any" inputmode="decimal" .value=${length.toFixed(1)} aria-label="Length of the result in seconds"
          @change=${(event) => this.#setLength(event.target)}> s</label>
        ${this.lengthNote && html`<span class="error" role="alert">${this.lengthNote}</span>`}
        ${this.record.media.audio?.length > 0 && html`<label class="check"><input type="checkbox" .checked=${this.findsBeats}
          @change=${(event) => { this.findsBeats = event.target.checked; this.#analyse(); }}>Beats</label>`}
        <span class="bench-figures" role="status"><b>${seconds(duration)} → ${seconds(length)}</b> <span class="muted">· ${short(ramp.speedAt(source), 2)}× here</span></span>
      </div>
      <curve-editor .store=${this.store} .record=${this.record} .fields=${fields} .points=${points} .duration=${duration} .fps=${this.fps} .time=${source} .chosen=${chosen}
        .motion=${this.analysis?.motion ?? null} .beats=${this.findsBeats ? (this.analysis?.beats ?? []) : []} .cuts=${this.analysis?.cuts ?? []}
        @points=${({ detail }) => this.#set(detail.points, detail)} @choose=${(event) => (this.chosen = event.detail)} @seek=${(event) => { this.stop(); this.viewer().seek(event.detail); }}></curve-editor>
      ${pointBar({ points, chosen, fields, set: (next, options) => this.#set(next, options), note: this.note || this.#figuresText() || `Drag the points; ${DOUBLE_PRESS} to add one.` })}
    </section>`;
  }

  #figuresText() {
    const { figures } = this;
    return figures && `Played ${figures.frames} frames, ${((100 * figures.onTime) / Math.max(1, figures.frames)).toFixed(1)} % on time.`;
  }
}

Element.define("curve-bench", CurveBench);
