// Pipelines: named ones to start from, and a vertical list of steps that is checked after every edit.

import { Element } from "../base/element.js";
import { html, keyed } from "../base/html.js";
import { icon } from "../base/icons.js";
import { words } from "../base/format.js";
import { Problem } from "../server/api.js";
import { notify } from "../common/notices.js";
import { filled, newStep, refusals, slotsOf, without } from "./model.js";
import "../base/code_block.js";
import "../tool/media_input.js";
import "./step_card.js";

const KEPT_AS = "reelwright-pipelines"; // {name: steps}
const CHECK_AFTER_MS = 500;

class PipelinesScreen extends Element {
  static props = { store: null, uploads: null, route: null, steps: [], media: {}, chosen: "", problems: {}, isChecked: false, isStarting: false, saved: {}, showsApi: false };
  #timer = null;
  #checking = null;

  enter() {
    this.saved = readSaved();
    this.store.watch(() => this.#ready(), this.leaving);
    this.#ready();
  }

  changed(name, before) {
    if (name === "route" && this.isConnected && (before?.from !== this.route.from || before?.clip !== this.route.clip)) this.#take();
    this.redraw();
  }

  #isTaken = false;

  #ready() {
    if (this.store.isReady && this.store.operations.length && !this.#isTaken) {
      this.#isTaken = true;
      this.#take();
    }
    this.redraw();
  }

  /** Begin with the clip of the address, a job's pipeline, or the first named one. */
  async #take() {
    const { from, clip } = this.route;
    if (clip) this.media = { ...this.media, video: clip };
    if (from) {
      const job = this.store.jobs.get(from) ?? (await this.store.api.get(`/v1/jobs/${from}`).catch(() => null));
      if (job?.params?.steps) return this.#use("", job.params.steps);
    }
    const first = this.store.pipelines.find(({ available }) => available) ?? this.store.pipelines[0];
    if (!this.steps.length && first) this.#use(first.name, first.steps);
    return undefined;
  }

  #use(name, steps) {
    this.chosen = name;
    this.#set(steps.map(({ id, operation, inputs = {}, params = {} }) => ({ id, operation, inputs: { ...inputs }, params: { ...params } })));
  }

  #set(steps) {
    this.steps = steps;
    this.problems = {};
    this.isChecked = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#check(), CHECK_AFTER_MS);
  }

  async #check() {
    const { steps, missing } = filled(this.steps, this.media);
    if (!steps.length || missing.length || !this.isConnected) return;
    const request = (this.#checking = { steps });
    try {
      await this.store.api.post("/v1/pipelines/check", request);
      if (this.#checking === request) Object.assign(this, { problems: {}, isChecked: true });
    } catch (error) {
      if (this.#checking === request && error instanceof Problem) this.problems = refusals(error, steps);
    }
  }

  async #make() {
    const { steps } = filled(this.steps, this.media);
    this.isStarting = true;
    try {
      const headers = { "Idempotency-Key": crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` };
      const metadata = this.chosen ? { pipeline: this.chosen } : {};
      const job = await this.store.api.post("/v1/pipelines/jobs", { steps, metadata }, { headers });
      this.store.putJob(job);
      location.hash = `#/job/${job.id}`;
    } catch (error) {
      this.problems = error instanceof Problem ? refusals(error, steps) : { "": error.message };
    }
    this.isStarting = false;
  }

  #save() {
    const name = prompt("Name of the pipeline", this.chosen || "My pipeline")?.trim();
    if (!name) return;
    this.saved = { ...this.saved, [name]: this.steps };
    localStorage.setItem(KEPT_AS, JSON.stringify(this.saved));
    this.chosen = name;
    notify(`“${name}” is saved in this browser.`);
  }

  #forget(name) {
    const { [name]: steps, ...others } = this.saved;
    this.saved = others;
    localStorage.setItem(KEPT_AS, JSON.stringify(others));
    const undo = () => {
      this.saved = { ...this.saved, [name]: steps };
      localStorage.setItem(KEPT_AS, JSON.stringify(this.saved));
    };
    notify(`“${name}” deleted.`, { action: { label: "Undo", run: undo } });
  }

  view() {
    const { store, steps } = this;
    if (!store.isReady) return html`<div class="library"><p class="muted">Loading…</p></div>`;
    return html`<div class="pipelines">
      <aside aria-label="Named pipelines"><h2>Start from</h2><ul class="pipeline-list">
        ${store.pipelines.map((pipeline) => keyed(pipeline.name, html`<li><button type="button" class="pipeline-pick" aria-pressed=${String(this.chosen === pipeline.name)} @click=${() => this.#use(pipeline.name, pipeline.steps)}>
          <b>${pipeline.title}</b><span class="muted small">${pipeline.available ? `${pipeline.steps.length} ${pipeline.steps.length === 1 ? "step" : "steps"}` : "needs a model that is not installed"}</span></button></li>`))}
        ${Object.entries(this.saved).map(([name, kept]) => keyed(`own ${name}`, html`<li class="row"><button type="button" class="pipeline-pick" aria-pressed=${String(this.chosen === name)} @click=${() => this.#use(name, kept)}>
          <b>${name}</b><span class="muted small">yours · ${kept.length} steps</span></button>
          <button type="button" class="icon quiet" aria-label=${`Delete ${name}`} @click=${() => this.#forget(name)}>${icon("trash")}</button></li>`))}
        <li><button type="button" class="pipeline-pick" @click=${() => this.#use("", [])}><b>Empty</b><span class="muted small">your own steps</span></button></li>
      </ul></aside>
      <section class="pipeline-main" aria-labelledby="pipeline-title">
        <h1 id="pipeline-title">${store.pipelines.find(({ name }) => name === this.chosen)?.title ?? (this.chosen || "Pipeline")}</h1>
        <p class="muted">${store.pipelines.find(({ name }) => name === this.chosen)?.description ?? "Each step works on the clip, or on what an earlier step made."}</p>
        ${this.#slots()}
        <ol class="step-cards">${steps.map((step, index) => keyed(step.id, html`<li><step-card .store=${store} .step=${step} .steps=${steps} .index=${index} .error=${this.problems[step.id] ?? ""}
          @step=${(event) => this.#set(steps.map((other, place) => (place === index ? event.detail : other)))} @remove=${() => this.#set(without(steps, index))}
          @move=${(event) => this.#move(index, event.detail)}></step-card></li>`))}</ol>
        ${this.#adder()}
        ${this.#bar()}
      </section>
    </div>`;
  }

  #move(index, by) {
    const steps = [...this.steps];
    const [step] = steps.splice(index, 1);
    steps.splice(index + by, 0, step);
    this.#set(steps);
  }

  #slots() {
    const slots = slotsOf(this.steps, this.store.operations);
    const info = this.store.pipelines.find(({ name }) => name === this.chosen)?.inputs ?? {};
    return html`<div class="slots" @media-input=${(event) => this.#setMedia(event.detail.name, event.detail.value)}>${Object.entries(slots).map(([name, kinds]) => {
      const port = { kinds, title: name === "video" ? "Clip" : words(name), description: name === "video" ? "" : (info[name]?.description ?? ""), optional: false, many: false };
      return keyed(name, html`<media-input .store=${this.store} .uploads=${this.uploads} .name=${name} .port=${port} .clip=${NO_CLIP} .value=${this.media[name] ?? null}></media-input>`);
    })}</div>`;
  }

  #setMedia(name, value) {
    this.media = { ...this.media, [name]: value };
    this.#set(this.steps);
  }

  #adder() {
    const { operations } = this.store;
    const services = [...new Set(operations.map(({ service }) => service))];
    const add = (event) => {
      const operation = this.store.operation(event.target.value);
      event.target.value = "";
      if (operation) this.#set([...this.steps, newStep(operation, this.steps, operations)]);
    };
    return html`<label class="adder"><span class="unseen">Add a step</span><select .value=${""} @change=${add}><option value="">Add a step…</option>${services.map(
      (service) => html`<optgroup label=${words(service)}>${operations.filter((operation) => operation.service === service).map(
        (operation) => html`<option value=${operation.name}>${operation.title ?? words(operation.name.split(".")[1])}</option>`)}</optgroup>`,
    )}</select></label>`;
  }

  #bar() {
    const { steps, missing } = filled(this.steps, this.media);
    const body = JSON.stringify({ steps }).replaceAll("'", "'\\''");
    const hasProblem = Object.keys(this.problems).length > 0;
    return html`<div class="action-bar">
      ${this.problems[""] && html`<p class="error" role="alert">${this.problems[""]}</p>`}
      ${missing.length > 0 && html`<p class="muted small">Choose ${missing.map((name) => (name === "video" ? "a clip" : words(name).toLowerCase())).join(" and ")} first.</p>`}
      ${this.isChecked && html`<p class="small good" role="status">${icon("check")}Every step fits.</p>`}
      <div class="row">
        <button type="button" ?disabled=${!steps.length} @click=${() => this.#save()}>Save</button>
        <button type="button" aria-expanded=${String(this.showsApi)} @click=${() => (this.showsApi = !this.showsApi)}>API call</button>
        <button type="button" class="primary" ?disabled=${!steps.length || missing.length > 0 || hasProblem || this.isStarting} @click=${() => this.#make()}>Make it</button>
      </div>
      ${this.showsApi && html`<code-block .text=${`curl ${location.origin}/v1/pipelines/jobs \\\n  -H 'Content-Type: application/json' \\\n  -d '${body}'`} .label=${"API call"}></code-block>`}
    </div>`;
  }
}

const NO_CLIP = { id: "" };

function readSaved() {
  try {
    return JSON.parse(localStorage.getItem(KEPT_AS)) ?? {};
  } catch {
    return {};
  }
}

Element.define("pipelines-screen", PipelinesScreen);
