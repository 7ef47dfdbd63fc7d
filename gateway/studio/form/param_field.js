// The control of one parameter, by its type and widget. Sends `param` with {name, value}; undefined means the default.

import { Element } from "../base/element.js";
import { html } from "../base/html.js";
import { position, short, words } from "../base/format.js";
import { marked } from "../base/marked.js";
import { load } from "../common/load.js";
import { declaredOnly, problemText } from "./rows.js";
import { controlOf } from "./schema.js";
import "./rows_field.js";

const MOST_SEGMENTS = 4;
const SLIDER_STEPS = 400;
const LONGEST_SEGMENTS = 34; // most letters of all choices together for a row of buttons; longer choices become a menu
const COLOUR = /^#[0-9a-f]{6}$/i;
const NONE = [];

/** Editors that are loaded when a form needs them, by control. */
const EDITORS = {
  curve: () => import("../ramp/curve_field.js"),
  points: () => import("./mark_field.js"),
  box: () => import("./mark_field.js"),
};

class ParamField extends Element {
  /**
   * Properties of the element. `problems`: [{path, detail}]. `place`: of the form on the page, for unique ids. `time`: position of the
   * viewer in seconds, null without a viewer. `frame`: number of the frame there, null while it is unknown. `clip`: the record that times
   * and places refer to, null if it is not known yet. `marked`: {frame, time} of the frame to mark, frame null if its time is given.
   * `offers`: [{label, value?, load?()}], values to take over. `lack`: why the parameter cannot be set, "" if it can.
   */
  static props = {
    store: null, parameter: null, value: undefined, problems: NONE, place: "param", time: null, frame: null, clip: null, marked: null, offers: NONE, lack: "",
    showsHelp: false, isEditorReady: false, note: "",
  };

  enter() {
    this.#prepare();
  }

  changed(name) {
    if (name === "value" && this.isConnected) this.#prepare();
    this.redraw();
  }

  async #prepare() {
    const editor = EDITORS[this.#control];
    if (!editor || this.isEditorReady) return;
    await load(editor);
    this.isEditorReady = true;
  }

  get #id() {
    return `${this.place}-${this.parameter.name}`;
  }

  #set(value) {
    this.note = "";
    this.tell("param", { name: this.parameter.name, value });
  }

  /** The problems of the field as one text. Lists show the problems of their rows themselves. */
  get #error() {
    const { parameter, problems } = this;
    const isTable = ["list", "row", "points", "box"].includes(this.#control);
    const ofWords = isTable && parameter.words?.length && problems.some(({ path }) => path.length); // a row is wrong: then it says nothing that the value is none of the words
    const own = isTable ? problems.filter(({ path }) => !path.length && !ofWords) : problems;
    return [this.note, ...own.map((problem) => problemText(problem, parameter))].filter(Boolean).join("; ");
  }

  /** The label of the earlier step's result that gives the value; "" without one. */
  get #reference() {
    const from = this.value?.from;
    return typeof from === "string" ? (this.offers.find(({ value }) => value?.from === from)?.label ?? `From ${from}`) : "";
  }

  get #current() {
    return this.value === undefined ? this.parameter.fallback : this.value;
  }

  view() {
    const { parameter } = this;
    const error = this.#error;
    const isGroup = ["segments", "choices", "list", "row", "curve", "points", "box", "reference", "lacking", ""].includes(this.#control);
    const name = isGroup
      ? html`<span class="label" id=${`${this.#id}-label`}>${parameter.label}</span>`
      : html`<label for=${this.#id}>${parameter.label}</label>`;
    return html`<div class=${`field of-${this.#control} ${error ? "wrong" : ""}`}>
      <div class="field-head">${name}
        ${parameter.help && html`<button type="button" class="help-button" aria-label=${`About ${parameter.label}`} aria-expanded=${String(this.showsHelp)}
          @click=${() => (this.showsHelp = !this.showsHelp)}>?</button>`}
        ${this.value !== undefined && html`<button type="button" class="reset quiet" @click=${() => this.#set(undefined)}>Reset</button>`}
        ${this.#control === "number" && this.#number()}
        ${this.#control === "switch" && html`<input type="checkbox" class="switch" id=${this.#id} .checked=${Boolean(this.#current)} aria-describedby=${this.#described}
          @change=${(event) => this.#set(event.target.checked)}>`}
      </div>
      ${this.#wide()}
      ${this.showsHelp && html`<p class="help" id=${`${this.#id}-help`}>${marked(parameter.help)}</p>`}
      ${error && html`<p class="error" id=${`${this.#id}-error`}>${error}</p>`}
    </div>`;
  }

  get #described() {
    return [this.showsHelp && `${this.#id}-help`, this.#error && `${this.#id}-error`].filter(Boolean).join(" ") || null;
  }

  /** The name of the parameter's control, such as "select". */
  get #control() {
    const { type, options = [], nullable } = this.parameter;
    if (this.lack) return "lacking";
    if (this.#reference) return "reference";
    if (type === "choice") {
      const texts = options.map((option) => this.#text(option));
      const fits = options.length + Number(nullable) <= MOST_SEGMENTS && texts.join("").length <= LONGEST_SEGMENTS;
      return fits ? "segments" : "select";
    }
    return controlOf(this.parameter);
  }

  #wide() {
    switch (this.#control) {
      case "number":
        return html`${this.parameter.bounded && this.#slider()}${this.time !== null && ["time", "frame"].includes(this.parameter.widget) && this.#playhead()}`;
      case "segments":
        return this.#segments();
      case "select":
        return this.#select();
      case "choices":
        return this.#choices();
      case "colour":
        return this.#colour();
      case "text":
        return this.#textbox();
      case "list":
      case "row":
        return this.#rows();
      case "curve":
        return this.isEditorReady && html`<curve-field .store=${this.store} .clip=${this.clip} .points=${this.value ?? null} .time=${this.time} .parameter=${this.parameter} .label=${this.parameter.label}
          @curve=${(event) => this.#set(event.detail)}></curve-field>`;
      case "points":
      case "box":
        return this.isEditorReady && html`<mark-field .store=${this.store} .parameter=${this.parameter} .value=${this.#current ?? null} .clip=${this.clip} .marked=${this.marked} .problems=${this.problems}
          @mark=${(event) => this.#set(event.detail)}></mark-field>`;
      case "lacking":
        return html`<p class="muted small">${this.lack}</p>`;
      case "reference":
        return html`<p class="muted">${this.#reference}</p>`;
      case "":
        return html`<p class="muted">This form has no control for this setting. Set it through the API.</p>`;
      default:
        return null;
    }
  }

  #text(option) {
    if (option === null) return "Automatic";
    return this.parameter.labels[String(option)] ?? words(String(option));
  }

  get #options() {
    return this.parameter.nullable ? [null, ...this.parameter.options] : this.parameter.options;
  }

  #segments() {
    const now = this.#current ?? null;
    return html`<div class="segments" role="radiogroup" aria-labelledby=${`${this.#id}-label`} aria-describedby=${this.#described}>${this.#options.map(
      (option) => html`<label><input type="radio" name=${this.#id} .checked=${option === now} @change=${() => this.#set(option)}><span>${this.#text(option)}</span></label>`,
    )}</div>`;
  }

  #select() {
    const options = this.#options;
    return html`<select id=${this.#id} aria-describedby=${this.#described} .value=${String(Math.max(0, options.indexOf(this.#current ?? null)))}
      @change=${(event) => this.#set(options[Number(event.target.value)])}>${options.map(
        (option, index) => html`<option value=${index}>${this.#text(option)}</option>`,
      )}</select>`;
  }

  #choices() {
    const now = new Set(this.#current ?? []);
    const toggle = (option) => {
      if (now.has(option)) now.delete(option);
      else now.add(option);
      this.#set(this.parameter.options.filter((other) => now.has(other)));
    };
    return html`<div class="chips" role="group" aria-labelledby=${`${this.#id}-label`}>${this.parameter.options.map(
      (option) => html`<button type="button" class="chip" aria-pressed=${String(now.has(option))} @click=${() => toggle(option)}>${this.#text(option)}</button>`,
    )}</div>`;
  }

  #number() {
    const { min, max, whole, nullable, unit } = this.parameter;
    const input = (event) => {
      const { value, validity } = event.target;
      if (validity.badInput) return void (this.note = "This is not a number.");
      if (value === "") return this.#set(nullable ? null : undefined);
      return Number.isFinite(Number(value)) ? this.#set(Number(value)) : undefined;
    };
    return html`<span class="amount" :--letters=${unit.length}><input type="number" id=${this.#id} min=${min} max=${max} step=${whole ? 1 : "any"} inputmode="decimal"
      placeholder=${nullable ? "auto" : null} aria-describedby=${this.#described} aria-invalid=${this.#error ? "true" : null}
      .value=${this.#current === null || this.#current === undefined ? "" : String(this.#current)} @change=${input}>
      <span class="unit" aria-hidden="true">${unit}</span></span>`;
  }

  #slider() {
    const { parameter } = this;
    const { log, min, max, step } = parameter;
    const place = toSlider(parameter, this.#current ?? parameter.fallback ?? min);
    return html`<input type="range" aria-label=${parameter.label} min=${log ? 0 : min} max=${log ? SLIDER_STEPS : max} step=${log ? 1 : step} .value=${String(place)}
      @input=${(event) => this.#set(fromSlider(parameter, Number(event.target.value)))}>`;
  }

  #playhead() {
    const isFrame = this.parameter.widget === "frame";
    const value = isFrame ? this.frame : Number(this.time.toFixed(3));
    return html`<button type="button" class="small" ?disabled=${value === null} @click=${() => this.#set(value)}>Use the playhead position (${isFrame ? `frame ${value ?? "…"}` : position(value)})</button>`;
  }

  #colour() {
    const now = this.#current;
    const isColour = COLOUR.test(now ?? "");
    const { labels, nullable } = this.parameter;
    return html`<div class="row start">
      <input type="color" aria-label=${`${this.parameter.label}, a colour`} .value=${isColour ? now : "#00b140"} @input=${(event) => this.#set(event.target.value)}>
      <input type="text" id=${this.#id} .value=${now ?? ""} placeholder=${nullable ? "automatic" : "#rrggbb"} spellcheck="false" aria-describedby=${this.#described}
        @change=${(event) => this.#set(event.target.value.trim() || (nullable ? null : undefined))}>
      ${Object.entries(labels).map(([value, label]) => html`<button type="button" class="chip" aria-pressed=${String(now === value)} @click=${() => this.#set(value)}>${label}</button>`)}
    </div>`;
  }

  #textbox() {
    const { long, widget, maxLength, nullable } = this.parameter;
    const change = (event) => this.#set(event.target.value === "" && nullable ? null : event.target.value);
    if (long || widget === "text")
      return html`<textarea id=${this.#id} rows="3" maxlength=${maxLength} aria-describedby=${this.#described} .value=${this.#current ?? ""} @change=${change}></textarea>`;
    return Object.keys(this.parameter.labels).length ? this.#words() : html`<input type="text" id=${this.#id} maxlength=${maxLength} aria-describedby=${this.#described} .value=${this.#current ?? ""} @change=${change}>`;
  }

  /** Return a text field with a button for each word that has a label. */
  #words() {
    const { labels, maxLength } = this.parameter;
    const now = this.#current;
    const isWord = now in labels;
    return html`<input type="text" id=${this.#id} maxlength=${maxLength} aria-describedby=${this.#described} .value=${isWord ? "" : (now ?? "")} placeholder=${isWord ? labels[now] : null}
        @change=${(event) => this.#set(event.target.value.trim() || undefined)}>
      <div class="chips">${Object.entries(labels).map(([value, label]) => html`<button type="button" class="chip" aria-pressed=${String(now === value)} @click=${() => this.#set(value)}>${label}</button>`)}</div>`;
  }

  #rows() {
    const { parameter } = this;
    const accepted = parameter.words ?? [];
    const now = this.#current ?? null;
    const isWord = accepted.includes(now);
    const empty = parameter.nullable ? null : undefined;
    return html`${accepted.length > 0 && html`<div class="chips">${accepted.map((word) => html`<button type="button" class="chip" aria-pressed=${String(now === word)}
        @click=${() => this.#set(now === word ? empty : word)}>${this.#text(word)}</button>`)}</div>`}
      ${!isWord && html`<rows-field .shape=${parameter} .value=${now} .label=${parameter.label} .time=${this.time} .problems=${this.problems}
        @rows=${(event) => this.#set(event.detail ?? empty)}></rows-field>`}
      ${this.offers.length > 0 && this.#offers()}`;
  }

  /** Return a menu of values from elsewhere, such as frames that another tool chose. */
  #offers() {
    const take = async ({ target }) => {
      const offer = this.offers[Number(target.value)];
      target.value = "";
      if (!offer) return;
      try {
        this.#set(offer.load ? declaredOnly(await offer.load(), this.parameter) : offer.value);
      } catch (error) {
        this.note = error.message;
      }
    };
    return html`<label class="take"><span class="unseen">Take over ${this.parameter.label.toLowerCase()}</span><select .value=${""} @change=${take}>
      <option value="">Take over…</option>${this.offers.map(({ label }, index) => html`<option value=${index}>${label}</option>`)}</select></label>`;
  }
}

function toSlider({ log, min, max }, value) {
  return log ? (Math.log(Math.min(Math.max(value, min), max) / min) / Math.log(max / min)) * SLIDER_STEPS : value;
}

function fromSlider({ log, min, max }, at) {
  if (!log) return at;
  return at === SLIDER_STEPS ? max : Number(short(min * (max / min) ** (at / SLIDER_STEPS), 2));
}

Element.define("param-field", ParamField);
