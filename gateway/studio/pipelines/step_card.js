// One step of a pipeline: its inputs as menus, its parameters on demand.

import { Element } from "../base/element.js";
import { html, keyed } from "../base/html.js";
import { icon } from "../base/icons.js";
import { changedParams, withPreset } from "../base/declared.js";
import { words } from "../base/format.js";
import { formOf, markedFrame, problemsBeside } from "../form/form.js";
import { parametersOf } from "../form/schema.js";
import { choicesOf, clipSlot, offersOf, slotName } from "./model.js";

const MOST_MEDIA = 40;

class StepCard extends Element {
  /**
   * Properties of the element. `clip`: the step's record, null if an earlier step makes it. Sends `step` with the changed step, `remove`,
   * and `move` with -1 or 1.
   */
  static props = { store: null, step: null, steps: [], index: 0, clip: null, problems: null, isOpen: false };

  get operation() {
    return this.store.operation(this.step.operation);
  }

  view() {
    const { step, steps, index, operation, problems } = this;
    const declared = operation ? parametersOf(operation.params) : [];
    const error = problems && [problems.general, problemsBeside(declared, declared, problems.params), ...Object.entries(problems.inputs).map(([name, text]) => `${operation?.inputs[name]?.title ?? name}: ${text}`)].filter(Boolean).join(" ");
    if (!operation) return html`<article class="step-card"><p class="error">This server has no operation ${step.operation}. Remove this step.</p></article>`;
    const changes = Object.keys(step.params).length;
    const title = operation.title ?? words(operation.name.split(".")[1]);
    return html`<article class=${`step-card ${problems ? "refused" : ""}`} aria-label=${`Step ${index + 1}: ${title}`}>
      <header class="row"><span class="step-number">${index + 1}</span><div class="step-title"><b>${title}</b><span class="muted small">${operation.summary}</span></div>
        <button type="button" class="icon quiet" aria-label="Move up" ?disabled=${index === 0} @click=${() => this.tell("move", -1)}><span class="turned">${icon("down")}</span></button>
        <button type="button" class="icon quiet" aria-label="Move down" ?disabled=${index === steps.length - 1} @click=${() => this.tell("move", 1)}>${icon("down")}</button>
        <button type="button" class="icon quiet" aria-label=${`Remove ${title}`} @click=${() => this.tell("remove")}>${icon("trash")}</button></header>
      <div class="step-inputs">${Object.entries(operation.inputs).map(([name, port]) => keyed(name, this.#input(name, port)))}</div>
      ${error && html`<p class="error" role="alert">${error}</p>`}
      ${this.#unknown.length > 0 && html`<p class="notice row start wrap"><span>This server's tool does not have: ${this.#unknown.join(", ")}.</span>
        <button type="button" class="small" @click=${() => this.#dropUnknown()}>Remove from the step</button></p>`}
      ${!operation.available && html`<p class="notice small">Needs a model that is not installed. Run: <code>${operation.install}</code></p>`}
      <details ?open=${this.#isShown} @toggle=${(event) => event.target === event.currentTarget && (this.isOpen = event.target.open)}><summary>Settings ${changes > 0 && html`<span class="badge">${changes} changed</span>`}</summary>
        ${this.#isShown && this.#settings()}
      </details>
    </article>`;
  }

  /** The step's settings and inputs that the operation does not have. They are names, such as those of an earlier release. */
  get #unknown() {
    const { step, operation } = this;
    const known = { ...operation.params.properties, ...operation.inputs };
    return Object.keys({ ...step.params, ...step.inputs }).filter((name) => !(name in known));
  }

  #dropUnknown() {
    const { step } = this;
    const unknown = new Set(this.#unknown);
    const kept = (values) => Object.fromEntries(Object.entries(values).filter(([name]) => !unknown.has(name)));
    this.tell("step", { ...step, params: kept(step.params), inputs: kept(step.inputs) });
  }

  /** Whether the settings are shown. The user opened them, or a setting has a problem. */
  get #isShown() {
    return this.isOpen || Object.keys(this.problems?.params ?? {}).length > 0;
  }

  #settings() {
    const { step, steps, index, operation, problems, store, clip } = this;
    const parameters = parametersOf(operation.params);
    const titles = this.#titles;
    const chosen = this.#chosen;
    return html`<div class="fields" @param=${(event) => this.#setParam(event.detail)}>
      ${operation.presets?.length > 0 && html`<div class="chips" role="group" aria-label="Presets">${operation.presets.map((preset) => html`<button type="button" class="chip"
        aria-pressed=${String(preset === chosen)} title=${preset.sentence} @click=${() => this.#choosePreset(preset)} data-preset=${preset.name}>${preset.title}</button>`)}</div>`}
      ${formOf({
        parameters, values: step.params, problems: problems?.params ?? {}, place: `step-${step.id}`,
        context: { store, time: null, frame: 0, clip, marked: markedFrame(parameters, step.params) },
        offersOf: (parameter) => offersOf(parameter, steps, index, titles),
      })}</div>`;
  }

  /** Return the preset whose params the step has. */
  get #chosen() {
    const { operation, step } = this;
    return operation.presets.find(({ params }) => JSON.stringify(withPreset(operation, step.params, params)) === JSON.stringify(step.params));
  }

  /** Choose another preset: its params replace those of the previous preset. */
  #choosePreset(preset) {
    const { operation, step } = this;
    const chosen = this.#chosen;
    const params = withPreset(operation, step.params, preset === chosen ? {} : preset.params, { before: chosen?.params });
    this.tell("step", { ...step, params });
  }

  get #titles() {
    return Object.fromEntries(this.steps.map(({ id, operation }, place) => [id, `step ${place + 1}, ${(this.store.operation(operation)?.title ?? words(id)).toLowerCase()}`]));
  }

  #setParam({ name, value }) {
    const { operation, step } = this;
    this.tell("step", { ...step, params: changedParams(operation, step.params, { [name]: value }) });
  }

  #input(name, port) {
    const { step, steps, index, store } = this;
    const outputs = choicesOf(port, steps, index, store.operations, this.#titles);
    const media = store.shownMedia.filter((record) => port.kinds.includes(record.kind)).slice(0, MOST_MEDIA);
    const value = [step.inputs[name] ?? ""].flat()[0] ?? "";
    const clip = slotName(clipSlot(steps, store.operations) ?? name);
    const slots = [...new Set([slotName(name), ...(port.kinds.includes("video") ? [clip] : []), ...(value.startsWith("<") ? [value] : [])])];
    const slotTitle = (slot) => (slot === clip && port.kinds.includes("video") ? "the clip" : words(slot.slice(1, -1)).toLowerCase());
    const known = new Set(["", ...outputs.map((choice) => choice.value), ...slots, ...media.map(({ id }) => id)]);
    const id = `step-${index}-${name}`;
    return html`<div class="step-input"><label for=${id}>${port.title ?? words(name)}${port.optional ? html` <span class="muted small">optional</span>` : null}</label>
      <select id=${id} .value=${value} @change=${(event) => this.tell("step", { ...step, inputs: { ...step.inputs, [name]: event.target.value || null } })}>
        ${(port.optional || !value) && html`<option value="">None</option>`}
        ${!known.has(value) && html`<option value=${value}>${value}</option>`}
        ${outputs.length > 0 && html`<optgroup label="Outputs of earlier steps">${outputs.map((choice) => html`<option value=${choice.value}>${choice.label}</option>`)}</optgroup>`}
        <optgroup label="Chosen at the start">${slots.map((slot) => html`<option value=${slot}>${slotTitle(slot)}</option>`)}</optgroup>
        ${media.length > 0 && html`<optgroup label="Library">${media.map((record) => html`<option value=${record.id}>${store.nameOf(record)}</option>`)}</optgroup>`}
      </select></div>`;
  }
}

Element.define("step-card", StepCard);
