// The page: connects its parts.

import { Api } from "./server/api.js";
import { Chart } from "./curve/chart.js";
import { Clip, SAMPLE } from "./clip/clip.js";
import { byId, show } from "./base/dom.js";
import { Form } from "./form/form.js";
import { JobView } from "./result/job_view.js";
import { JobList, clipId } from "./jobs/job_list.js";
import { askForKey } from "./server/key.js";
import { Player } from "./result/player.js";
import { Ramp } from "./curve/ramp.js";

const BUSY_MS = 2000; // interval of refreshing the lists while a job runs
const IDLE_MS = 5000;
const SHOWN_JOBS = 12;
const SHOWN_MEDIA = 60;

class Page {
  #jobs = [];
  #media = new Map(); // id -> record
  #curve = null;
  #drawn = null;
  #analyses = new Map();

  constructor() {
    this.api = new Api(askForKey);
    this.player = new Player((time) => this.chart?.setTime(time));
    this.chart = new Chart(byId("chart"), {
      onSeek: (time) => this.player.seekSource(time),
      onPoint: (text) => (byId("curve-at").textContent = text),
    });
    this.form = new Form({ onSubmit: (request) => this.#start(request), onOperation: () => this.#allowStart() });
    this.clip = new Clip(this.api, (record) => this.#take(record));
    this.view = new JobView(this.api, this.player, (job) => this.#showCurve(job));
    this.list = new JobList((job) => this.open(job));
    byId("curve-use").addEventListener("click", () => this.#editCurve());
    byId("key-forget").addEventListener("click", () => {
      this.api.forgetKey();
      location.reload();
    });
    show(byId("key-forget"), this.api.keyed);
    addEventListener("hashchange", () => this.#openNamed());
  }

  async run() {
    await this.#refresh();
    this.#poll();
    await this.#openNamed();
  }

  /** Show a job with its clip and parameters. */
  async open(job) {
    if (location.hash !== `#job=${job.id}`) history.replaceState(null, "", `#job=${job.id}`);
    const full = await this.api.get(job.urls.self).catch(() => job);
    const clip = await this.#clipOf(full);
    if (clip && clip.id !== this.clip.record?.id) this.clip.choose(clip);
    this.form.choose(full.operation);
    if (this.form.operation?.name === full.operation) this.form.fill(full.params);
    this.#show(full);
  }

  #show(job) {
    history.replaceState(null, "", `#job=${job.id}`);
    const following = this.view.open(job, this.form.operations);
    this.#list();
    following.then(() => this.#refresh());
  }

  async #start({ operation, params, inputs }) {
    byId("start").disabled = true;
    try {
      const body = { inputs, params };
      const headers = { "Idempotency-Key": crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` };
      const job = await this.api.post(operation.urls.jobs, body, { headers });
      this.#jobs = [job, ...this.#jobs];
      this.#show(job);
      if (matchMedia("(max-width: 60rem)").matches) byId("work").scrollIntoView();
    } catch (error) {
      this.form.refuse(error);
    } finally {
      this.#allowStart();
    }
  }

  #allowStart() {
    const { operation } = this.form;
    show(byId("curve-panel"), !operation || "curve" in (operation.result.properties ?? {}));
    const fits = !operation || !this.clip?.record || this.form.clipPort !== null;
    const kinds = fits ? [] : [...new Set(Object.values(operation.inputs).flatMap((port) => port.kinds))];
    byId("start").disabled = !operation?.available || !this.clip?.record || !fits;
    byId("start").textContent = fits ? "Start" : `Start (takes ${kinds.join(" or ")})`;
  }

  /** Handle the choice of a clip. */
  async #take(record) {
    this.#media.set(record.id, record);
    this.#offer();
    this.form.setClip(record);
    this.view.clear();
    if (location.hash) history.replaceState(null, "", location.pathname);
    this.#list();
    this.#curve = null;
    show(byId("curve-use"), false);
    this.#chart({ ramp: null, duration: record.media?.duration_s ?? 0 }, record.id);
    shape(record.media);
    this.#allowStart();
    this.player.set("source", null);
    show(byId("source-note"), true, record.kind === "video" ? "Loading…" : `No preview for media of kind ${record.kind}.`);
    if (record.kind !== "video") return;
    try {
      const held = await this.api.mediaUrl(record.urls.content);
      if (this.clip.record.id !== record.id) return void held.release();
      show(byId("source-note"), false);
      this.player.set("source", held);
    } catch (error) {
      show(byId("source-note"), true, error.message);
    }
  }

  #showCurve(job) {
    const { curve } = job.result ?? {};
    this.#curve = Array.isArray(curve) && curve.at(-1)?.t > 0 ? curve : null;
    const ramp = this.#curve ? new Ramp(curve, curve.at(-1).t) : null;
    this.player.setRamp(ramp);
    const duration = ramp ? curve.at(-1).t : (this.clip.record?.media?.duration_s ?? 0);
    this.#chart({ ramp, duration }, clipId(job), job);
    show(byId("curve-use"), ramp !== null);
  }

  /** Draw a curve, and behind it the motion of the clip if it has been measured. */
  async #chart(drawn, mediaId, job) {
    this.#drawn = drawn;
    const none = { motion: null, cuts: [] };
    this.chart.set({ ...drawn, ...none });
    show(byId("legend-motion"), false);
    const { motion, cuts } = (await this.#analysisOf(mediaId, job).catch(() => null)) ?? none;
    if (this.#drawn !== drawn || !motion?.times?.length) return;
    this.chart.set({ ...drawn, motion, cuts: cuts ?? [] });
    show(byId("legend-motion"), true);
  }

  /** The result of a job that measured the clip's motion; null if there is none. It is fetched once: lists have no results. */
  async #analysisOf(mediaId, job) {
    if (job?.result?.motion) return job.result;
    const measures = (other) => other.operation.endsWith(".analyze") && other.status === "succeeded" && clipId(other) === mediaId;
    const analysis = this.#jobs.find(measures);
    if (!analysis) return null;
    if (!this.#analyses.has(analysis.id)) this.#analyses.set(analysis.id, this.api.get(`/v1/jobs/${analysis.id}`));
    return (await this.#analyses.get(analysis.id)).result;
  }

  /** Put the shown curve into the form, for editing and rendering. */
  #editCurve() {
    const takes = (operation) => operation.params.properties?.curve && operation.service === this.view.operation?.service;
    const operation = this.form.operations.find(takes);
    if (!operation) return;
    const params = operation.name === this.view.job.operation ? this.view.job.params : {};
    const curve = this.#curve.map((point) => ({ ...point, t: Number(point.t.toFixed(3)), speed: Number(point.speed.toFixed(3)) }));
    this.form.choose(operation.name);
    this.form.fill({ ...params, speeds: null, curve });
    byId("field-curve").focus();
  }

  async #clipOf(job) {
    const id = clipId(job);
    return id && (this.#media.get(id) ?? (await this.api.get(`/v1/media/${id}`).catch(() => null)));
  }

  async #openNamed() {
    const id = location.hash.match(/^#job=(\w+)$/)?.[1];
    if (!id || id === this.view.job?.id) return;
    try {
      await this.open(await this.api.get(`/v1/jobs/${id}`));
    } catch {
      history.replaceState(null, "", location.pathname); // the job no longer exists
    }
  }

  async #poll() {
    for (;;) {
      const busy = this.#jobs.some((job) => job.status === "queued" || job.status === "running");
      await new Promise((resolve) => setTimeout(resolve, busy ? BUSY_MS : IDLE_MS));
      if (document.visibilityState === "visible") await this.#refresh();
    }
  }

  async #refresh() {
    try {
      const requests = [this.api.get(`/v1/jobs?limit=${SHOWN_JOBS}`), this.api.get(`/v1/media?limit=${SHOWN_MEDIA}`)];
      if (!this.form.operations?.length) requests.push(this.api.get("/v1/operations").then((operations) => this.form.offer(operations)));
      const [jobs, media] = await Promise.all(requests);
      this.#jobs = jobs.items;
      const sample = this.#media.get(SAMPLE) ?? (await this.api.get(`/v1/media/${SAMPLE}`).catch(() => null));
      this.#media = new Map([...media.items, ...(sample ? [sample] : [])].map((record) => [record.id, record]));
      this.#offer();
      this.#list();
      if (sample && !this.clip.record && !location.hash) this.clip.choose(sample); // after a first start it appears a little later
      show(byId("connection"), false, "");
    } catch (error) {
      show(byId("connection"), true, error.message);
    }
  }

  #offer() {
    const newestFirst = [...this.#media.values()].sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at));
    this.clip.offer(newestFirst);
    this.form.offerMedia(newestFirst);
  }

  #list() {
    this.list.update(this.#jobs.slice(0, SHOWN_JOBS), this.#media, this.view.job?.id);
  }
}

/** Give the frames the aspect ratio of the clip, within limits. */
function shape(media) {
  const ratio = media?.width ? Math.min(Math.max(media.width / media.height, 0.8), 2.4) : 16 / 9;
  for (const id of ["source-frame", "result-frame"]) byId(id).style.aspectRatio = String(ratio);
}

new Page().run();
