// The speed curve in a form: chosen by name or drawn on the timeline of the clip.

import { Element } from "../base/element.js";
import { html } from "../base/html.js";
import { icon } from "../base/icons.js";
import { seconds } from "../base/format.js";
import { rateOf } from "../base/words.js";
import { History, PRESETS, presetPoints, roundedPoint } from "./edit.js";
import { DOUBLE_PRESS, fieldsOf, pointBar } from "./point_bar.js";
import { Ramp } from "./ramp.js";
import "./curve_editor.js";

const UNKNOWN_LENGTH_S = 10; // length of the timeline for a clip that an earlier step makes
const UNKNOWN_RATE = 30;

class CurveField extends Element {
  /**
   * Properties of the element. `points`: null for the automatic curve. `parameter`: the declared curve. `clip`: the record, null if it is
   * not known yet. `time`: the playhead or null. Sends `curve` with points or undefined.
   */
  static props = { store: null, clip: null, points: null, parameter: null, time: null, label: "", chosen: 0, length: 0 };
  #history = new History();

  get #duration() {
    const length = this.clip ? this.clip.media.duration_s : this.length || UNKNOWN_LENGTH_S;
    return Math.max(length, this.points?.at(-1)?.t ?? 0);
  }

  get #fps() {
    return this.clip ? rateOf(this.clip.media) : UNKNOWN_RATE;
  }

  #send(points) {
    this.dispatchEvent(new CustomEvent("curve", { detail: points })); // not to the tool around the form
  }

  #set(points, { keep = false, chosen = this.chosen } = {}) {
    if (!keep) this.#history.note(this.points);
    this.chosen = Math.min(chosen, points.length - 1);
    this.#send(points.map(roundedPoint));
  }

  #choose(name) {
    this.#history.note(this.points);
    this.chosen = 0;
    this.#send(name === "motion" ? undefined : presetPoints(name, this.#duration, this.#fps).map(roundedPoint));
  }

  #key(event) {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    event.preventDefault();
    if (event.shiftKey ? this.#history.canRedo : this.#history.canUndo) this.#send((event.shiftKey ? this.#history.redo(this.points) : this.#history.undo(this.points)) ?? undefined);
  }

  view() {
    const { points, clip } = this;
    const duration = this.#duration;
    const isOwn = Boolean(points?.length);
    const fields = fieldsOf(this.parameter);
    return html`<div class="curve-step" @keydown=${(event) => this.#key(event)}>
      <div class="bench-bar">
        <select aria-label=${this.label} .value=${isOwn ? "own" : "motion"} @change=${(event) => this.#choose(event.target.value)}>
          <option value="motion">From motion</option>${Object.entries(PRESETS).map(([name, { title }]) => html`<option value=${name}>${title}</option>`)}
          <option value="own" disabled hidden>Own curve</option>
        </select>
        <button type="button" class="icon quiet" aria-label="Undo" title="Undo (Ctrl+Z)" ?disabled=${!this.#history.canUndo} @click=${() => this.#send(this.#history.undo(points) ?? undefined)}>${icon("undo")}</button>
        ${!clip && isOwn && html`<label>Timeline <input type="number" min="0.1" step="any" inputmode="decimal" aria-label="Seconds of the timeline" .value=${String(Number(duration.toFixed(2)))}
          @change=${(event) => (this.length = Number(event.target.value))}> s</label>`}
        ${clip && isOwn && html`<span class="bench-figures"><b>${seconds(duration)} → ${seconds(new Ramp(points, duration).duration)}</b></span>`}
      </div>
      ${isOwn && html`<curve-editor .store=${this.store} .record=${clip} .fields=${fields} .points=${points} .duration=${duration} .fps=${this.#fps} .time=${this.time ?? 0} .chosen=${this.chosen}
          @points=${(event) => { event.stopPropagation(); this.#set(event.detail.points, event.detail); }} @choose=${(event) => { event.stopPropagation(); this.chosen = event.detail; }}
          @seek=${(event) => event.stopPropagation()}></curve-editor>
        ${pointBar({ points, chosen: this.chosen, fields, set: (next, options) => this.#set(next, options),
          note: clip ? `Drag the points; ${DOUBLE_PRESS} to add one.` : `An earlier step makes this clip: set how long it is. Drag the points; ${DOUBLE_PRESS} to add one.` })}`}
    </div>`;
  }
}

Element.define("curve-field", CurveField);
