// The editor of a list or table: rows of numbers, texts and choices, added one by one or at the playhead.

import { Element } from "../base/element.js";
import { html } from "../base/html.js";
import { icon } from "../base/icons.js";
import { position } from "../base/format.js";
import { within } from "./problems.js";
import { cellsOf, newRow, numbersIn, problemText, rounded, valueIn, withValue } from "./rows.js";

const SHOWN = 12; // rows that are drawn at first
const MORE = 100;

class RowsField extends Element {
  /**
   * Properties of the element. `shape`: a list or a row of the schema. `value`: its value. `label`: of the field. `time`: the playhead in
   * seconds, null without one. `problems`: [{path, detail}]. Sends `rows` with the new value; undefined when it becomes empty.
   */
  static props = { shape: null, value: null, label: "", time: null, problems: [], shown: SHOWN, wrong: null };

  /** Whether the value is one row and not a list. */
  get #isRow() {
    return this.shape.type === "row";
  }

  get #items() {
    return this.#isRow ? this.shape : this.shape.items;
  }

  get #rows() {
    if (this.#isRow) return this.value ? [this.value] : [];
    return Array.isArray(this.value) ? this.value : [];
  }

  #send(rows) {
    this.wrong = null;
    const value = this.#isRow ? rows[0] : rows;
    this.dispatchEvent(new CustomEvent("rows", { detail: rows.length ? value : undefined })); // not to the editor around this one
  }

  #setRow(index, row) {
    this.#send(this.#rows.map((other, place) => (place === index ? row : other)));
  }

  #add(time = null) {
    const rows = [...this.#rows, newRow(this.#items, this.#rows, time)];
    this.#send(rows);
    this.shown = Math.max(this.shown, rows.length);
    requestAnimationFrame(() => {
      const row = this.querySelectorAll(":scope > .rows > .rows-list > li")[rows.length - 1];
      row?.querySelector("input, select")?.focus();
      row?.scrollIntoView({ block: "nearest" });
    });
  }

  #remove(index) {
    this.#send(this.#rows.filter((_, place) => place !== index));
    requestAnimationFrame(() => this.querySelector(".rows-add")?.focus());
  }

  /** Turn several pasted numbers into rows. */
  #paste(event, index) {
    const numbers = this.#items.type === "number" ? numbersIn(event.clipboardData?.getData("text") ?? "") : null;
    if (!numbers) return;
    event.preventDefault();
    const rows = [...this.#rows];
    rows.splice(index, 1, ...numbers);
    this.#send(rows);
  }

  view() {
    const rows = this.#rows;
    const { shape } = this;
    const isFull = this.#isRow ? rows.length > 0 : rows.length >= shape.most;
    const hasTime = cellsOf(this.#items).some(({ widget }) => widget === "time");
    return html`<div class="rows" role="group" aria-label=${this.label}>
      ${rows.length > 0 && html`<ol class=${`rows-list ${this.#items.type === "row" ? "" : "short"}`}>${rows.slice(0, this.shown).map((row, index) => this.#row(row, index))}</ol>`}
      <div class="row start wrap">
        ${rows.length > this.shown && html`<button type="button" class="small" @click=${() => (this.shown += MORE)}>Show ${Math.min(MORE, rows.length - this.shown)} more of ${rows.length}</button>`}
        ${!isFull && html`<button type="button" class="small rows-add" @click=${() => this.#add()}>${icon("add")}Add</button>`}
        ${!isFull && hasTime && this.time !== null && html`<button type="button" class="small" @click=${() => this.#add(this.time)}>${icon("add")}Add at the playhead (${position(this.time)})</button>`}
        ${rows.length > 1 && html`<button type="button" class="small quiet" @click=${() => this.#send([])}>Remove all</button>`}
      </div>
    </div>`;
  }

  #row(row, index) {
    const cells = cellsOf(this.#items);
    const number = this.#isRow ? "" : ` ${index + 1}`;
    const problems = this.#isRow ? this.problems : within(this.problems, index);
    const flat = cells.filter(({ type }) => type !== "list" && type !== "row");
    const deep = cells.filter(({ type }) => type === "list" || type === "row");
    const own = problems.filter(({ path }) => !deep.some(({ key }) => String(key) === path[0]));
    const texts = own.map((problem) => problemText(problem, this.#items));
    if (this.wrong?.index === index) texts.unshift(this.wrong.text);
    return html`<li class=${texts.length ? "wrong" : ""}>
      ${!flat.length && html`<span class="label small">${deep[0].label}${number}</span>`}
      ${flat.map((cell) => this.#cell(row, index, cell, problems))}
      <button type="button" class="icon quiet" aria-label=${`Remove ${this.label.toLowerCase()}${number}`} title="Remove" @click=${() => this.#remove(index)}>${icon("trash")}</button>
      ${texts.length > 0 && html`<p class="error">${texts.join("; ")}</p>`}
      ${deep.map((cell) => html`<div class="rows-inner">${flat.length > 0 && html`<span class="label small">${cell.label}${number}</span>`}
        <rows-field .shape=${cell} .value=${valueIn(row, cell.key)} .label=${`${cell.label}${number}`} .time=${this.time} .problems=${within(problems, cell.key)}
          @rows=${(event) => this.#setRow(index, withValue(row, cell.key, event.detail ?? (cell.type === "list" ? [] : null)))}></rows-field></div>`)}
    </li>`;
  }

  #cell(row, index, cell, problems) {
    const number = this.#isRow ? "" : ` ${index + 1}`;
    const name = `${cell.label || this.label}${number}`;
    const isWrong = (this.wrong?.index === index && this.wrong.key === cell.key) || problems.some(({ path }) => path[0] === String(cell.key) || cell.key === null);
    const value = valueIn(row, cell.key) ?? cell.fallback ?? null;
    const set = (next) => this.#setRow(index, withValue(row, cell.key, next));
    const isLabelled = this.#items.type === "row";
    return html`<label class="cell">${isLabelled && html`<span class="small muted">${cell.label}</span>`}${this.#control(cell, value, set, { name, index, isWrong })}</label>
      ${cell.widget === "time" && this.time !== null && html`<button type="button" class="icon quiet" aria-label=${`Set ${name.toLowerCase()} to the playhead`} title=${`Use the playhead position (${position(this.time)})`}
        @click=${() => set(rounded(this.time))}>${icon("pin")}</button>`}`;
  }

  #control(cell, value, set, { name, index, isWrong }) {
    if (cell.type === "choice")
      return html`<select aria-label=${name} aria-invalid=${isWrong ? "true" : null} .value=${String(cell.options.indexOf(value))} @change=${(event) => set(cell.options[Number(event.target.value)])}>${cell.options.map(
        (option, place) => html`<option value=${place}>${cell.labels[String(option)] ?? String(option)}</option>`)}</select>`;
    if (cell.type === "switch") return html`<input type="checkbox" aria-label=${name} .checked=${Boolean(value)} @change=${(event) => set(event.target.checked)}>`;
    if (cell.type === "text") return html`<input type="text" aria-label=${name} .value=${value ?? ""} @change=${(event) => set(event.target.value)}>`;
    const change = ({ target }) => {
      if (target.validity.badInput) return void (this.wrong = { index, key: cell.key, text: `${name} is not a number.` });
      return set(target.value === "" ? (cell.required ? null : undefined) : Number(target.value));
    };
    return html`<span class="amount" :--letters=${cell.unit?.length ?? 0}><input type="number" step="any" inputmode="decimal" aria-label=${name} aria-invalid=${isWrong ? "true" : null} .value=${value === null ? "" : String(value)}
      @change=${change} @paste=${(event) => this.#paste(event, index)}>${cell.unit && html`<span class="unit" aria-hidden="true">${cell.unit}</span>`}</span>`;
  }
}

Element.define("rows-field", RowsField);
