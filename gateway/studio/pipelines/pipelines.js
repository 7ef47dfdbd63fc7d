// Pipelines: named ones to start from, and a vertical list of steps that is checked after every edit.

import { Element } from "../base/element.js";
import { html, keyed } from "../base/html.js";
import { icon } from "../base/icons.js";
import { words } from "../base/format.js";
import { picturedOutput } from "../base/outputs.js";
import { askForName } from "../common/name_dialog.js";
import { notify } from "../common/notices.js";
import { Stay } from "../common/stay.js";
import { GONE, isGone, NOT_SHOWN } from "../state/previews.js";
import { keepDraft, readDraft } from "./draft.js";
import { dropPreview, runPreview } from "./preview.js";
import { addressOf, forget, readSaved, save } from "./saved.js";
import { availableFirst, clipIdOf, clipSlot, filled, newStep, plainSteps, refusals, sameSteps, slotsOf, without } from "./model.js";
import "../base/code_block.js";
import "../jobs/job_steps.js";
import "../tool/media_input.js";
import "./step_card.js";

const CHECK_AFTER_MS = 500;

class PipelinesScreen extends Element {
  /** Properties of the element. `chosen`: the name of the pipeline to start from. `base`: its steps, before they were changed. */
  static props = { store: null, uploads: null, route: null, steps: [], base: [], media: {}, chosen: "", problems: {}, isChecked: false, isStarting: false, saved: [], showsApi: false,
    previewJob: null, preview: null, previewNote: "" };
  #timer = null;
  #isBegun = false; // whether the steps are those of the draft or of the user's choice
  #checking = null;
  #previewing = new AbortController();
  #given = null; // id of the clip that the address names, until the user chooses another

  enter() {
    const draft = readDraft();
    if (draft) Object.assign(this, { chosen: draft.chosen, base: plainSteps(draft.base), steps: plainSteps(draft.steps ?? draft.base), media: draft.media });
    this.#isBegun = Boolean(draft);
    this.#takeClip();
    readSaved(this.store.api).then((saved) => { this.saved = saved; this.#renewBase(); }, (error) => notify(error.message, { kind: "bad" }));
    this.store.watch(() => this.#ready(), this.leaving);
    this.#ready();
  }

  leave() {
    clearTimeout(this.#timer);
    this.#closePreview();
  }

  changed(name, before) {
    if (name === "route") this.isStarting = false; // the user has come back
    if (name === "route" && this.isConnected && (this.route.from || before?.clip !== this.route.clip)) this.#take();
    this.redraw();
  }

  #isTaken = false;

  #ready() {
    if (this.store.hasPipelines && this.store.operations.length && !this.#isTaken) {
      this.#isTaken = true;
      this.#take();
    }
    this.redraw();
  }

  /** Load the pipeline of the address, else the draft, else the first named pipeline. */
  async #take() {
    const { from, clip } = this.route;
    this.#takeClip();
    const first = this.store.pipelines.find(({ available }) => available) ?? this.store.pipelines[0];
    if (this.#isBegun) this.#renewBase();
    else if (first) this.#use(first.name, first.steps);
    this.#set(this.steps);
    if (from || clip) history.replaceState(null, "", "#/pipelines"); // a reload keeps later changes
    const job = from && (this.store.jobs.get(from) ?? (await this.store.api.get(`/v1/jobs/${from}`).catch(() => null)));
    if (job?.params?.steps) this.#use("", job.params.steps);
    this.#dropLost();
  }

  #takeClip() {
    if (this.route.clip) this.#given = this.route.clip;
  }

  /** Read the current steps of the pipeline `chosen`; steps that the user changed stay. */
  #renewBase() {
    const known = this.#stepsOf(this.chosen);
    if (!known || sameSteps(known, this.base)) return;
    const isChanged = this.#isChanged;
    this.base = plainSteps(known);
    if (!isChanged) this.#set(plainSteps(known));
  }

  /** Empty the slots whose media are deleted. */
  async #dropLost() {
    for (const [name, id] of Object.entries(this.media)) {
      const isLost = id && (await this.store.record(id).then(() => false, (error) => error.status === 404));
      if (isLost && this.media[name] === id) this.#setMedia(name, null);
    }
  }

  /** Return the steps of a named or saved pipeline. */
  #stepsOf(name) {
    return (this.store.pipelines.find((named) => named.name === name) ?? this.saved.find((kept) => kept.name === name))?.steps;
  }

  get #isChanged() {
    return !sameSteps(this.base, this.steps);
  }

  /** Replace the steps in the editor. The user can take back the change. */
  #use(name, steps, text = "Your unsaved steps are replaced.") {
    const { chosen, base, steps: before } = this;
    const isLost = this.#isChanged;
    Object.assign(this, { chosen: name, base: plainSteps(steps) });
    this.#set(plainSteps(steps));
    const undo = () => {
      Object.assign(this, { chosen, base });
      this.#set(before);
    };
    if (isLost) notify(text, { action: { label: "Undo", run: undo } });
  }

  #set(steps) {
    this.#isBegun = true;
    this.steps = steps;
    const slot = this.#given && clipSlot(steps, this.store.operations);
    if (slot) this.media = { ...this.media, [slot]: this.#given };
    Object.assign(this, { problems: {}, isChecked: false, previewNote: "" });
    this.#keep();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#check(), CHECK_AFTER_MS);
  }

  #keep() {
    const { chosen, base, steps, media } = this;
    keepDraft({ chosen, base, steps: this.#isChanged ? steps : null, media });
  }

  async #check() {
    const { steps, missing } = filled(this.steps, this.media);
    if (!steps.length || missing.length || !this.isConnected) return;
    const request = (this.#checking = { steps });
    try {
      await this.store.api.post("/v1/pipelines/check", request);
      if (this.#checking === request) Object.assign(this, { problems: {}, isChecked: true });
    } catch (error) {
      if (this.#checking === request && error.errors) this.problems = refusals(error, steps);
    }
  }

  /** Start the pipeline's job. After that the button stays off until the job's page is open, which may have to be loaded first. */
  async #make() {
    if (this.isStarting) return;
    const { steps } = filled(this.steps, this.media);
    this.isStarting = true;
    const stay = new Stay(this);
    try {
      const metadata = this.chosen ? { pipeline: this.chosen } : {};
      const job = await this.store.api.start("/v1/pipelines/jobs", { steps, metadata });
      this.store.putJob(job);
      stay.open(`#/job/${job.id}`, "Your job is started.");
    } catch (error) {
      if (stay.isOver) return notify(error.message, { kind: "bad" });
      this.isStarting = false;
      this.problems = refusals(error, steps);
    }
    return undefined;
  }

  async #preview() {
    if (this.#isPreviewing) return;
    const { steps } = filled(this.steps, this.media);
    this.#closePreview();
    const { signal } = (this.#previewing = new AbortController());
    this.previewJob = { progress: null };
    try {
      const job = await runPreview(this.store, steps, { signal, onJob: (now) => (this.previewJob = now) });
      if (job.status !== "succeeded") throw new Error(job.error?.detail ?? "The preview failed.");
      const output = picturedOutput(job, this.store.operations);
      if (!output) return;
      const isVideo = output.kind === "video";
      const held = await this.store.api.mediaUrl(isVideo || output.kind === "image" ? output.urls.content : output.urls.thumbnail, signal);
      this.preview = { url: held.url, kind: isVideo ? "video" : "image" };
    } catch (error) {
      if (signal.aborted) return;
      if (error.errors?.length) this.problems = refusals(error, steps);
      else this.previewNote = error.message; // the steps themselves may be valid
    }
    if (!this.preview) this.previewJob = null;
  }

  get #isPreviewing() {
    return Boolean(this.previewJob) && !this.preview;
  }

  #closePreview() {
    this.#previewing.abort();
    dropPreview(this.store.api, this.previewJob);
    Object.assign(this, { preview: null, previewJob: null, previewNote: "" });
  }

  async #dropPreview() {
    const { preview, previewJob } = this;
    const isLost = await isGone(this.store.api, previewJob.urls.self);
    if (this.preview !== preview) return;
    this.#closePreview();
    this.previewNote = isLost ? GONE : NOT_SHOWN;
  }

  async #save() {
    const isNamed = this.store.pipelines.some(({ name }) => name === this.chosen);
    const name = await askForName({ title: "Save the pipeline", name: isNamed || !this.chosen ? "My pipeline" : this.chosen, hint: "Saved on the server. Replaces a pipeline with the same name." });
    if (!name) return;
    const { steps } = this;
    if (!(await this.#store(name, steps, `“${name}” is saved.`))) return;
    Object.assign(this, { chosen: name, base: steps });
    this.#keep();
  }

  /** Save steps on the server. Returns whether that succeeded; if not, a notice says why. */
  async #store(name, steps, text) {
    try {
      const kept = await save(this.store.api, name, steps);
      this.saved = [...this.saved.filter((other) => other.name !== name), kept].sort((a, b) => a.name.localeCompare(b.name));
      if (text) notify(text);
      return true;
    } catch (error) {
      notify(error.message, { kind: "bad" });
      return false;
    }
  }

  async #forget({ name, steps }) {
    try {
      await forget(this.store.api, name);
    } catch (error) {
      return notify(error.message, { kind: "bad" });
    }
    this.saved = this.saved.filter((other) => other.name !== name);
    return notify(`“${name}” deleted.`, { action: { label: "Undo", run: () => this.#store(name, steps) } });
  }

  view() {
    const { store, steps } = this;
    if (!store.isReady) return html`<div class="library"><p class="muted">Loading…</p></div>`;
    return html`<div class="pipelines">
      <aside aria-label="Named pipelines"><h2>Start from</h2><ul class="pipeline-list">
        ${this.saved.map((kept) => keyed(`own ${kept.name}`, html`<li class="row"><button type="button" class="pipeline-pick" aria-pressed=${String(this.chosen === kept.name)} @click=${() => this.#use(kept.name, kept.steps)}>
          <b>${kept.name}</b><span class="muted small">yours · ${kept.steps.length} ${kept.steps.length === 1 ? "step" : "steps"}</span></button>
          <button type="button" class="icon quiet" aria-label=${`Delete ${kept.name}`} title="Delete" @click=${() => this.#forget(kept)}>${icon("trash")}</button></li>`))}
        ${availableFirst(store.pipelines).map((pipeline) => keyed(pipeline.name, html`<li><button type="button" class="pipeline-pick" aria-pressed=${String(this.chosen === pipeline.name)} @click=${() => this.#use(pipeline.name, pipeline.steps)}>
          <b>${pipeline.title}</b><span class="muted small">${pipeline.available ? `${pipeline.steps.length} ${pipeline.steps.length === 1 ? "step" : "steps"}` : "needs a model that is not installed"}</span></button></li>`))}
        <li><button type="button" class="pipeline-pick" @click=${() => this.#use("", [])}><b>Empty</b><span class="muted small">your own steps</span></button></li>
      </ul></aside>
      <section class="pipeline-main" aria-labelledby="pipeline-title">
        <h1 id="pipeline-title">${store.pipelines.find(({ name }) => name === this.chosen)?.title ?? (this.chosen || "Pipeline")}</h1>
        <p class="muted">${store.pipelines.find(({ name }) => name === this.chosen)?.description ?? "Each step uses the clip or an output of an earlier step."}</p>
        ${this.#isChanged && html`<p class="draft-note row start"><span class="muted">Unsaved changes. This browser keeps them.</span>
          <button type="button" class="small" @click=${() => this.#use(this.chosen, this.base, "Your changes are discarded.")}>Discard changes</button></p>`}
        ${this.#slots()}
        <ol class="step-cards">${steps.map((step, index) => keyed(step.id, html`<li><step-card .store=${store} .step=${step} .steps=${steps} .index=${index} .clip=${this.#clipOf(step)} .problems=${this.problems[step.id] ?? null}
          @step=${(event) => this.#set(steps.map((other, place) => (place === index ? event.detail : other)))} @remove=${() => this.#set(without(steps, index))}
          @move=${(event) => this.#move(index, event.detail)}></step-card></li>`))}</ol>
        ${this.#adder()}
        ${this.showsApi && html`<code-block .text=${this.#apiText()} .label=${"API call"}></code-block>`}
        ${this.#bar()}
      </section>
    </div>`;
  }

  /** Return the record of a step's clip; null if an earlier step makes it. */
  #clipOf(step) {
    const operation = this.store.operation(step.operation);
    const record = operation && this.store.media.get(clipIdOf(step, operation, this.media));
    return record?.media?.duration_s ? record : null;
  }

  #move(index, by) {
    const steps = [...this.steps];
    const [step] = steps.splice(index, 1);
    steps.splice(index + by, 0, step);
    this.#set(steps);
  }

  #slots() {
    const slots = slotsOf(this.steps, this.store.operations);
    const clip = clipSlot(this.steps, this.store.operations);
    const info = this.store.pipelines.find(({ name }) => name === this.chosen)?.inputs ?? {};
    return html`<div class="slots" @media-input=${(event) => this.#setMedia(event.detail.name, event.detail.value)}>${Object.entries(slots).map(([name, kinds]) => {
      const port = { kinds, title: name === clip ? "Clip" : words(name), description: name === clip ? "" : (info[name]?.description ?? ""), optional: false, many: false };
      return keyed(name, html`<media-input .store=${this.store} .uploads=${this.uploads} .name=${name} .port=${port} .clip=${NO_CLIP} .value=${this.media[name] ?? null}></media-input>`);
    })}</div>`;
  }

  #setMedia(name, value) {
    this.media = { ...this.media, [name]: value };
    this.#given = null;
    this.#set(this.steps);
  }

  #adder() {
    const { operations } = this.store;
    const tools = operations.filter((operation) => operation.is_tool);
    const services = [...new Set(tools.map(({ service }) => service))];
    const add = (event) => {
      const operation = this.store.operation(event.target.value);
      event.target.value = "";
      if (operation) this.#set([...this.steps, newStep(operation, this.steps, operations)]);
    };
    return html`<label class="adder"><span class="unseen">Add a step</span><select .value=${""} @change=${add}><option value="">Add a step…</option>${services.map(
      (service) => html`<optgroup label=${tools.find((operation) => operation.service === service).tools?.title ?? words(service)}>${tools.filter((operation) => operation.service === service).map(
        (operation) => html`<option value=${operation.name}>${operation.title ?? words(operation.name.split(".")[1])}</option>`)}</optgroup>`,
    )}</select></label>`;
  }

  #bar() {
    const { steps, missing } = filled(this.steps, this.media);
    const clip = clipSlot(this.steps, this.store.operations);
    const hasProblem = Object.keys(this.problems).length > 0;
    const cannotRun = !steps.length || missing.length > 0 || hasProblem;
    const isPreviewing = this.#isPreviewing;
    return html`<div class="action-bar">
      ${this.problems[""] && html`<p class="error" role="alert">${this.problems[""].general}</p>`}
      ${this.previewNote && html`<p class="error" role="alert">${this.previewNote}</p>`}
      ${missing.length > 0 && html`<p class="muted small">Choose ${missing.map((name) => (name === clip ? "a clip" : words(name).toLowerCase())).join(" and ")} first.</p>`}
      ${this.isChecked && html`<p class="small good" role="status">${icon("check")}All steps are valid.</p>`}
      ${this.previewJob && this.#previewCard()}
      <div class="row">
        <button type="button" ?disabled=${!steps.length} @click=${() => this.#save()}>Save</button>
        <button type="button" aria-expanded=${String(this.showsApi)} @click=${() => this.#toggleApi()}>API call</button>
        <button type="button" ?disabled=${cannotRun || isPreviewing} @click=${() => this.#preview()}>${isPreviewing ? html`<span class="spinner"></span>Preview…` : "Preview"}</button>
        <button type="button" class="primary" ?disabled=${cannotRun || this.isStarting} @click=${() => this.#make()}>Make it</button>
      </div>
    </div>`;
  }

  #toggleApi() {
    this.showsApi = !this.showsApi;
    requestAnimationFrame(() => this.querySelector("code-block")?.scrollIntoView({ block: "nearest" }));
  }

  #previewCard() {
    const { preview, previewJob } = this;
    return html`<section class="pipeline-preview" aria-label="Preview">
      ${preview?.kind === "video" && html`<video src=${preview.url} controls autoplay loop muted playsinline aria-label="Preview of the pipeline" @error=${() => this.#dropPreview()}></video>`}
      ${preview?.kind === "image" && html`<img src=${preview.url} alt="Preview of the pipeline" @error=${() => this.#dropPreview()}>`}
      <div class="pipeline-preview-text">
        <div class="row"><b>Preview: three seconds at a small size</b><button type="button" class="icon quiet" aria-label="Close the preview" @click=${() => this.#closePreview()}>${icon("close")}</button></div>
        ${previewJob?.progress?.steps && html`<job-steps .job=${previewJob}></job-steps>`}
      </div>
    </section>`;
  }

  /** Return the curl command that runs the pipeline. A saved pipeline runs by name, another by its steps. */
  #apiText() {
    const { steps } = filled(this.steps, this.media);
    const kept = this.saved.find(({ name, steps: own }) => name === this.chosen && sameSteps(own, this.steps));
    const path = kept ? `${addressOf(kept.name)}/jobs` : "/v1/pipelines/jobs";
    const inputs = Object.fromEntries(Object.keys(slotsOf(this.steps, this.store.operations)).map((name) => [name, this.media[name] ?? "MEDIA ID"]));
    const body = JSON.stringify(kept ? { inputs } : { steps }).replaceAll("'", "'\\''");
    const key = this.store.api.keyed ? `  -H "Authorization: Bearer $REELWRIGHT_API_KEY" \\\n` : "";
    return `curl ${location.origin}${path} \\\n${key}  -H 'Content-Type: application/json' \\\n  -d '${body}'`;
  }
}

const NO_CLIP = { id: "" };

Element.define("pipelines-screen", PipelinesScreen);
