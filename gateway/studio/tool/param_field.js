// The control of one parameter, by its type and widget. Sends `param` with {name, value}; undefined means the default.

import { Element } from "../base/element.js";
import { html } from "../base/html.js";
import { position, short, words } from "../base/format.js";
import { marked } from "../base/marked.js";

const MOST_SEGMENTS = 4;
const SLIDER_STEPS = 400;
const LONGEST_SEGMENTS = 34; // letters of all choices together
const COLOUR = /^#[0-9a-f]{6}$/i;

class ParamField extends Element {
  /** `time`: position of the viewer in seconds; `frame`: number of the frame there. */
  static props = { parameter: null, value: undefined, error: "", time: 0, frame: 0, showsHelp: false, draft: null };

  get #id() {
    return `param-${this.parameter.name}`;
  }

  #set(value) {
    this.draft = null;
    this.tell("param", { name: this.parameter.name, value });
  }

  get #current() {
    return this.value === undefined ? this.parameter.fallback : this.value;
  }

  view() {
    const { parameter, error } = this;
    const isGroup = ["segments", "choices"].includes(this.#control);
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
    return [this.showsHelp && `${this.#id}-help`, this.error && `${this.#id}-error`].filter(Boolean).join(" ") || null;
  }

  /** The kind of control. */
  get #control() {
    const { type, widget, options = [], nullable } = this.parameter;
    if (widget === "colour") return "colour";
    if (type === "choice") {
      const texts = options.map((option) => this.#text(option));
      const fits = options.length + Number(nullable) <= MOST_SEGMENTS && texts.join("").length <= LONGEST_SEGMENTS;
      return fits ? "segments" : "select";
    }
    return type;
  }

  #wide() {
    switch (this.#control) {
      case "number":
        return html`${this.parameter.bounded && this.#slider()}${["time", "frame"].includes(this.parameter.widget) && this.#playhead()}`;
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
      case "json":
        return this.#json();
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
      const { value } = event.target;
      if (value === "") return this.#set(nullable ? null : undefined);
      return Number.isFinite(Number(value)) ? this.#set(Number(value)) : undefined;
    };
    return html`<span class="amount"><input type="number" id=${this.#id} min=${min} max=${max} step=${whole ? 1 : "any"} inputmode="decimal"
      placeholder=${nullable ? "auto" : null} aria-describedby=${this.#described} aria-invalid=${this.error ? "true" : null}
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
    return html`<button type="button" class="small" @click=${() => this.#set(value)}>Use the playhead position (${isFrame ? `frame ${value}` : position(value)})</button>`;
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
    return html`<input type="text" id=${this.#id} maxlength=${maxLength} aria-describedby=${this.#described} .value=${this.#current ?? ""} @change=${change}>`;
  }

  #json() {
    const accepted = this.parameter.words;
    const now = this.#current ?? null;
    const text = this.draft ?? (now === null ? "" : accepted.includes(now) ? now : JSON.stringify(now));
    const change = (event) => {
      const given = event.target.value.trim();
      if (given === "") return this.#set(this.parameter.nullable ? null : undefined);
      if (accepted.includes(given)) return this.#set(given);
      try {
        return this.#set(JSON.parse(given));
      } catch {
        this.draft = given;
        return this.tell("param-error", { name: this.parameter.name, detail: "This is not valid JSON." });
      }
    };
    return html`<textarea id=${this.#id} class="code" rows="2" spellcheck="false" placeholder=${["JSON", ...accepted].join(" or ")} aria-describedby=${this.#described}
      .value=${text} @change=${change}></textarea>`;
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
