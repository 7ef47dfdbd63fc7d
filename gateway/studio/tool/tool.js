// One tool on a clip: preset cards, inputs, parameters, a preview, and "Make it".

import { Element } from "../base/element.js";
import { html, keyed } from "../base/html.js";
import { icon } from "../base/icons.js";
import { changedParams, madeFirst, operationOfRole, withPreset } from "../base/declared.js";
import { words } from "../base/format.js";
import { marked } from "../base/marked.js";
import { hasPicture, picturedOutput } from "../base/outputs.js";
import { Problem } from "../server/api.js";
import { load } from "../common/load.js";
import { notify } from "../common/notices.js";
import { toolAddress } from "../common/route.js";
import { Stay } from "../common/stay.js";
import { previewOf } from "../state/previews.js";
import { keepDraft, readDraft } from "./draft.js";
import { formOf, missingOf, problemsBeside } from "../form/form.js";
import { resultsFor } from "../form/results.js";
import { hasProblem, NO_PROBLEMS, sorted } from "../form/problems.js";
import { parametersOf } from "../form/schema.js";
import { isFilling, knownOf, requestInputs, settingsOf, withInput } from "./settings.js";
import { cliText, curlText, filesOf, pythonText } from "./request_text.js";
import "../base/code_block.js";
import "../presets/preset_card.js";
import "../common/sheet_handle.js";
import "./media_input.js";

const TABS = [["form", "Form"], ["curl", "curl"], ["python", "Python"], ["cli", "CLI"]];
const CHECK_AFTER_MS = 500;
const CHECK_AGAIN_MS = 5000; // pause before the next check, after an answer that may soon change

/** Editors below the viewer, by a parameter's widget or an input's role. */
const BENCHES = {
  curve: () => import("../ramp/curve_bench.js"),
  points: () => import("../mask/mask_bench.js"),
  mask: () => import("../mask/mask_bench.js"),
  composite: () => import("../composite/composite_bench.js"),
};

/** Widgets whose editor is used before the form. On a phone, the form then opens as a lowered sheet. */
const USED_FIRST = new Set(["curve", "points", "mask"]);

/** Widgets whose parameters are edited on a workbench and need no form field. */
const ON_BENCH = new Set(["curve", "points", "box"]);

class ToolPanel extends Element {
  static props = {
    store: null, uploads: null, record: null, route: null, viewer: null,
    params: {}, inputs: {}, brought: {}, preset: null, problems: NO_PROBLEMS, estimate: null, tab: "form",
    time: 0, isStarting: false, previewState: "", benches: {},
  };
  #timer = null;
  #checking = null;
  #isFresh = true; // whether nothing was entered yet

  enter() {
    this.store.watch(() => this.redraw(), this.leaving);
    document.addEventListener("viewer-time", (/** @type {CustomEvent} */ event) => (this.time = event.detail), { signal: this.leaving });
    this.#open();
  }

  leave() {
    clearTimeout(this.#timer);
    this.tell("stage", { preview: null, overlay: null, canvas: null, marks: [], part: null });
  }

  changed(name, before) {
    if (name === "route") Object.assign(this, { isStarting: false, previewState: "" }); // the user has gone on or come back
    if (name === "route" && this.isConnected && (before?.tool !== this.route.tool || isFilling(this.route))) this.#open();
    this.redraw();
  }

  get operation() {
    return this.store.operation(this.route.tool);
  }

  get clipInput() {
    return Object.entries(this.operation.inputs).find(([, port]) => port.kinds.includes(this.record.kind))?.[0] ?? null;
  }

  /** Fill in the settings of a job, a preset, or earlier entries. The entries are the user's. */
  async #open() {
    const { operation, record, route } = this;
    if (!operation) return;
    this.#checking = null;
    this.#isFresh = true;
    Object.assign(this, { problems: NO_PROBLEMS, estimate: null, tab: "form", previewState: "", params: {}, inputs: {}, brought: {}, preset: null });
    this.tell("stage", { preview: null, overlay: null, canvas: null, marks: [], part: null });
    this.querySelector(".panel")?.scrollTo(0, 0); // another tool begins at its top
    const presets = operation.presets ?? [];
    const preset = presets.find(({ name }) => name === route.preset);
    const draft = readDraft(record.id, operation.name);
    this.inputs = madeFirst(operation); // unless the user chooses otherwise
    const job = route.from && (this.store.jobs.get(route.from) ?? (await this.store.api.get(`/v1/jobs/${route.from}`).catch(() => null)));
    if (this.route !== route || !this.isConnected) return; // another tool was opened meanwhile
    if (job) Object.assign(this, settingsOf(job, operation, this.clipInput));
    else if (preset) Object.assign(this, { preset: preset.name, params: { ...preset.params } });
    else if (draft) Object.assign(this, { ...draft, params: knownOf(draft.params, operation.params.properties), inputs: knownOf(draft.inputs, operation.inputs), brought: draft.brought ?? {} });
    const [given, medium] = route.give?.split(":") ?? [];
    if (given in operation.inputs) this.inputs = { ...this.inputs, [given]: operation.inputs[given].many ? [medium] : medium };
    this.#isFresh = !(job || preset || draft || given in operation.inputs);
    if (job || preset || given in operation.inputs) this.#own();
    for (const widget of this.#widgets) {
      if (BENCHES[widget] && !this.benches[widget]) {
        await load(BENCHES[widget]);
        this.benches = { ...this.benches, [widget]: true };
      }
    }
    this.#checkSoon();
  }

  /** Keep the values that the address filled in, and remove them from the address. A reload then keeps later changes. */
  #own() {
    this.#keep();
    history.replaceState(history.state, "", toolAddress(this.record.id, this.operation.name));
  }

  #keep() {
    keepDraft(this.record.id, this.operation.name, { params: this.params, inputs: this.inputs, brought: this.brought, preset: this.preset });
  }

  get #parameters() {
    return parametersOf(this.operation.params);
  }

  /** The parameters that have a field in the form. */
  get #fields() {
    return this.#parameters.filter(({ widget }) => !ON_BENCH.has(widget));
  }

  get #widgets() {
    const ofParams = this.#parameters.map(({ widget }) => widget);
    const ofInputs = Object.values(this.operation.inputs).map(({ role }) => role);
    return new Set([...ofParams, ...ofInputs, this.#isComposite && "composite"].filter(Boolean));
  }

  get #opensLowered() {
    return this.operation.available && this.record.kind === "video" && [...this.#widgets].some((widget) => USED_FIRST.has(widget));
  }

  /** Whether the tool puts the clip over a background. */
  get #isComposite() {
    const ports = Object.values(this.operation.inputs);
    return ports.some(({ role, auto }) => role === "matte" && auto) && ports.some(({ role }) => role === "backdrop");
  }

  /** All inputs of a request. */
  get #allInputs() {
    return requestInputs(this.operation, this.inputs, this.clipInput, this.record.id);
  }

  /** Names of inputs and parameters that are needed and missing, in words. */
  get #missing() {
    const given = this.#allInputs;
    const { inputs, needs } = this.operation;
    const missing = Object.keys(inputs).filter((name) => !inputs[name].optional && !given[name]);
    if (needs.length && !needs.some((name) => given[name])) missing.push(needs[0]);
    return [...missing.map((name) => inputs[name].title), ...missingOf(this.#parameters, this.params).map(({ label }) => label)];
  }

  setParam(name, value) {
    this.params = changedParams(this.operation, this.params, { [name]: value });
    const isFrame = this.#parameters.some((parameter) => parameter.name === name && parameter.widget === "frame");
    if (isFrame && Number.isInteger(value)) this.viewer()?.goTo(value);
    this.preset = null;
    this.#edited();
  }

  /** Set an input, and the params that belong to it. @param {string} name  @param {any} value  @param {Record<string, any>} params */
  setInput(name, value, params = {}) {
    const before = { inputs: this.inputs, params: this.params, brought: this.brought };
    Object.assign(this, withInput(this.operation, before, name, value, params));
    this.#edited();
  }

  #edited() {
    this.#keep();
    this.#isFresh = false;
    this.problems = NO_PROBLEMS;
    this.#checkSoon();
  }

  /** Return the params of the chosen preset; {} if there is none. */
  get #chosenParams() {
    return this.operation.presets.find(({ name }) => name === this.preset)?.params ?? {};
  }

  #choosePreset({ name, params }) {
    const isSame = this.preset === name;
    const kept = { before: this.#chosenParams, brought: Object.assign({}, ...Object.values(this.brought)) };
    Object.assign(this, { params: withPreset(this.operation, this.params, isSame ? {} : params, kept), preset: isSame ? null : name });
    this.#edited();
  }

  #checkSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#check(), CHECK_AFTER_MS);
  }

  /** Check the request without running it: problems at their fields, and an estimate. */
  async #check() {
    const { operation } = this;
    if (!this.isConnected || !operation.available || this.#missing.length) return;
    const request = (this.#checking = { inputs: this.#allInputs, params: this.params });
    try {
      const answer = await this.store.api.post(operation.urls.check, request);
      if (this.#checking === request) Object.assign(this, { problems: NO_PROBLEMS, estimate: answer.estimate ?? null });
    } catch (error) {
      if (this.#checking !== request) return;
      const isRefusal = error instanceof Problem;
      const isEarly = this.#isFresh && error.errors?.length > 0 && error.errors.every(({ field = "" }) => field.startsWith("params.")); // the tool was only opened
      if (isRefusal && !isEarly) this.#refuse(error);
      if (!isRefusal || error.status >= 500) this.#timer = setTimeout(() => this.#check(), CHECK_AGAIN_MS);
    }
  }

  #refuse(error) {
    this.problems = sorted(error);
    this.estimate = null;
  }

  /** Start the tool's job. After that the button stays off until the job's page is open, which may have to be loaded first. */
  async #make() {
    if (this.isStarting) return;
    this.isStarting = true;
    const stay = new Stay(this);
    try {
      const job = await this.store.api.start(this.operation.urls.jobs, { inputs: this.#allInputs, params: this.params });
      this.store.putJob(job);
      stay.open(`#/job/${job.id}`, "Your job is started.");
    } catch (error) {
      if (stay.isOver) return notify(error.message, { kind: "bad" });
      this.isStarting = false;
      this.#refuse(error);
      /** @type {any} */ (this.querySelector("sheet-handle"))?.raise();
      queueMicrotask(() => (this.querySelector("[aria-invalid=true]") ?? this.querySelector(".wrong input, .wrong select, .panel-error"))?.focus());
    }
    return undefined;
  }

  /** Run a preview and show it in the viewer. It is dropped if another tool or other settings were opened meanwhile. */
  async #preview() {
    const { operation, params, route } = this;
    const at = this.time;
    const isLate = () => this.route !== route || !this.isConnected;
    if (this.previewState === "running") return;
    this.previewState = "running";
    try {
      const job = await previewOf(this.store.api, operation, { inputs: this.#allInputs, params, at, seconds: 4, slot: "tool" });
      if (isLate()) return;
      const output = picturedOutput(job, this.store.operations);
      this.previewState = "";
      if (!output || !["video", "image", "images"].includes(output.kind)) return;
      const path = output.kind === "images" ? output.urls.thumbnail : output.urls.content;
      const held = await this.store.api.mediaUrl(path, this.leaving);
      if (isLate()) return void held.release();
      this.tell("stage", { preview: { url: held.url, kind: output.kind === "video" ? "video" : "image", label: "Preview", job: job.urls.self } });
    } catch (error) {
      if (isLate()) return;
      this.previewState = "";
      if (error.name !== "AbortError") this.#refuse(error);
    }
  }

  view() {
    const { operation } = this;
    if (!operation) return html`<div class="panel panel-area"><p class="error">This server has no tool ${this.route.tool}.</p></div>`;
    const title = operation.title ?? words(operation.name.split(".")[1]);
    return html`
      <div class="bench">${this.#bench()}</div>
      <div class="panel-area sheet">
        <sheet-handle .label=${title} .content=${"tool-form"} .opensLowered=${this.#opensLowered}></sheet-handle>
        <div class="panel" id="tool-form">
          <header class="tool-head">
            <a class="icon button quiet" href=${`#/clip/${this.record.id}`} aria-label="All tools" title="All tools">${icon("back")}</a>
            <div><h2>${title}</h2><p class="muted small">${operation.summary}.</p></div>
          </header>
          ${!operation.available && html`<p class="notice">This tool needs a model that is not installed. On the server, run: <code>${operation.install}</code></p>`}
          ${this.#presets()}
          <div class="tabs segments" role="tablist" aria-label="Ways to start the tool">${TABS.map(
            ([name, label]) => html`<button type="button" role="tab" id=${`tab-${name}`} aria-selected=${String(this.tab === name)} aria-controls="tab-panel" @click=${() => (this.tab = name)}>${label}</button>`,
          )}</div>
          <div id="tab-panel" role="tabpanel" aria-labelledby=${`tab-${this.tab}`}>${this.tab === "form" ? this.#form() : this.#code()}</div>
        </div>
        ${this.#bar()}
      </div>`;
  }

  #bench() {
    const { benches, record } = this;
    const curve = this.#parameters.find(({ widget }) => widget === "curve");
    if (curve && benches.curve && record.kind === "video")
      return html`<curve-bench .store=${this.store} .record=${record} .params=${this.params} .parameter=${curve} .viewer=${this.viewer} .time=${this.time}
        @curve=${(event) => this.setParam(curve.name, event.detail ?? undefined)} @param=${(event) => this.setParam(event.detail.name, event.detail.value)}></curve-bench>`;
    if (this.#isComposite && benches.composite && record.kind === "video")
      return html`<composite-bench .store=${this.store} .record=${record} .operation=${this.operation} .inputs=${this.inputs} .params=${this.params} .viewer=${this.viewer} .time=${this.time}
        @param=${(event) => this.setParam(event.detail.name, event.detail.value)}></composite-bench>`;
    const isMask = ["points", "mask"].some((widget) => this.#widgets.has(widget)) && (benches.points || benches.mask);
    if (isMask && record.kind === "video")
      return html`<mask-bench .store=${this.store} .uploads=${this.uploads} .record=${record} .operation=${operationOfRole(this.store.operations, "click_mask")} .inputs=${this.inputs} .params=${this.params}
        .viewer=${this.viewer} .time=${this.time} @media-input=${(event) => this.setInput(event.detail.name, event.detail.value, event.detail.params)}
        @param=${(event) => this.setParam(event.detail.name, event.detail.value)}></mask-bench>`;
    return null;
  }

  #presets() {
    const { operation, record } = this;
    const presets = operation.presets ?? [];
    if (!presets.length || record.kind !== "video" || !operation.available) return null;
    const inputs = this.#allInputs;
    const before = this.#chosenParams;
    return html`<ul class="preset-cards" aria-label="Presets">${presets.map((preset) => {
      const card = { ...preset, params: withPreset(operation, this.params, preset.params, { before }), presetName: preset.name, operation };
      return keyed(`${operation.name} ${preset.name}`, html`<li><preset-card .store=${this.store} .record=${record} .card=${card} .chosen=${this.preset === preset.name}
        .inputs=${inputs} @choose=${() => this.#choosePreset(preset)}></preset-card></li>`);
    })}</ul>`;
  }

  #form() {
    const { operation, problems, params, store, record, time } = this;
    const ports = Object.entries(operation.inputs).filter(([name, port]) => name !== this.clipInput || port.many);
    const isFirst = ([name, port]) => name !== this.clipInput && (!port.optional || port.auto || operation.needs.includes(name) || this.inputs[name] || port.role === "backdrop");
    const frame = this.viewer()?.number ?? null;
    return html`<form class="fields" @submit=${(event) => event.preventDefault()} @param=${(event) => this.setParam(event.detail.name, event.detail.value)}
        @media-input=${(event) => this.setInput(event.detail.name, event.detail.value)}>${formOf({
      parameters: this.#fields,
      values: params, problems: problems.params, place: "param", context: { store, time, frame, clip: record, marked: { frame, time } },
      first: ports.filter(isFirst).map((entry) => keyed(entry[0], this.#port(entry))),
      more: ports.filter((entry) => !isFirst(entry)).map((entry) => keyed(entry[0], this.#port(entry))),
      offersOf: (parameter) => resultsFor(parameter, store, record),
    })}</form>`;
  }

  #port([name, port]) {
    const isMore = name === this.clipInput;
    const shown = isMore ? { ...port, title: "More clips", description: "", optional: true } : port;
    return html`<media-input .store=${this.store} .uploads=${this.uploads} .name=${name} .port=${shown} .clip=${this.record} .value=${this.inputs[name] ?? null}
      .error=${this.problems.inputs[name] ?? ""}></media-input>`;
  }

  #code() {
    const { operation, params, store } = this;
    const inputs = this.#allInputs;
    const { origin } = location;
    const options = { keyed: store.api.keyed };
    const text = {
      curl: () => curlText(origin, operation, inputs, params, options),
      python: () => pythonText(origin, operation, filesOf(inputs, store), params, options),
      cli: () => cliText(operation, filesOf(inputs, store), params),
    }[this.tab]();
    return html`<code-block .text=${text} .label=${`Request for ${this.tab}`}></code-block>
      <p class="muted small">This request has the settings of the form. See also the <a href="/docs">API reference</a>.</p>`;
  }

  #bar() {
    const { operation, problems, estimate, isStarting } = this;
    const missing = this.#missing;
    const why = missing.length ? `Still missing: ${missing.map((name) => name.toLowerCase()).join(" and ")}.` : "";
    const error = [problems.general, problemsBeside(this.#fields, this.#parameters, problems.params)].filter(Boolean).join(" ");
    const isPreviewable = operation.preview && hasPicture(operation) && this.record.kind === "video";
    return html`<div class="action-bar">
      ${hasProblem(problems) && html`<p class="error panel-error" role="alert" tabindex="-1">${error ? marked(error) : "Some settings are invalid. They are marked."}</p>`}
      ${why && html`<p class="muted small">${why}</p>`}
      <div class="row">
        ${isPreviewable && html`<button type="button" ?disabled=${this.previewState === "running" || missing.length > 0 || !operation.available} @click=${() => this.#preview()}>
          ${this.previewState === "running" ? html`<span class="spinner"></span>Preview…` : "Preview"}</button>`}
        <button type="button" class="primary" ?disabled=${isStarting || missing.length > 0 || !operation.available} @click=${() => this.#make()}>
          Make it${estimate && html`<span class="estimate">about ${estimateText(estimate.seconds)}</span>`}</button>
      </div>
    </div>`;
  }
}

/** Format seconds as "2 s", "40 s", "3 min", rounded as an estimate is. */
export function estimateText(seconds) {
  if (seconds < 10) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 100) return `${Math.round(seconds / 5) * 5} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

Element.define("tool-panel", ToolPanel);
