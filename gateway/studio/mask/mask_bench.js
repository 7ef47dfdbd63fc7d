// The workbench of masks: click to add or remove, box, brush and eraser on the picture of the viewer.

import { Element } from "../base/element.js";
import { html } from "../base/html.js";
import { icon } from "../base/icons.js";
import { inputOf, inputOfRole, mayBeSet, paramOf, resultOfRole } from "../base/declared.js";
import { position } from "../base/format.js";
import { outputOfRole } from "../base/outputs.js";
import { rateOf } from "../base/words.js";
import { keepDraft, readDraft } from "../tool/draft.js";
import { endedJob } from "../state/ended_job.js";
import { History } from "../ramp/edit.js";
import { drawCursor, drawDot } from "./marks.js";
import { drawMask, EMPTY, isEmpty, paintTint } from "./mask_state.js";

const WIDTH = 640; // pixels of the mask while it is drawn
/** @type {[number, number, number]} */
const TINT = [242, 148, 40];
const STEP = 0.02; // share of the picture by which an arrow key moves the cursor
const TOOLS = [["add", "Add", "Click on the subject"], ["remove", "Leave out", "Click beside the subject"], ["box", "Box", "Drag a box around the subject"],
  ["brush", "Brush", "Paint the subject"], ["eraser", "Eraser", "Paint what does not belong"]];

class MaskBench extends Element {
  /**
   * Properties of the element. `operation`: makes masks of clicks; `inputs`, `params`: of the tool. Sends `media-input` with the mask and
   * the params that belong to it, and `param` for clicks.
   */
  static props = {
    store: null, uploads: null, record: null, operation: null, inputs: {}, params: {}, viewer: null, time: 0,
    tool: "", size: 0.06, state: EMPTY, note: "", isBusy: false, drawnAt: null, hasKeys: false,
  };
  #history = new History();
  #overlay = document.createElement("canvas");
  #mask = document.createElement("canvas");
  #drag = null;
  #cursor = null;
  #asked = 0;
  #due = 0;
  #isBegun = false; // whether the draft was read
  #drawnFrom = null; // when the drawn frame begins

  enter() {
    const { width, height } = this.record.media;
    for (const canvas of [this.#overlay, this.#mask]) Object.assign(canvas, { width: WIDTH, height: Math.round((WIDTH * height) / width) });
    const overlay = this.#overlay;
    overlay.className = "mask-overlay";
    overlay.tabIndex = 0;
    overlay.dataset.keys = "own";
    overlay.setAttribute("role", "application");
    overlay.setAttribute("aria-label", "Mask over the picture. Arrow keys move the cursor, space marks a point.");
    const { leaving: signal } = this;
    overlay.addEventListener("pointerdown", (event) => this.#down(event), { signal });
    overlay.addEventListener("pointermove", (event) => this.#move(event), { signal });
    overlay.addEventListener("pointerup", (event) => this.#up(event), { signal });
    overlay.addEventListener("pointerleave", () => { this.#cursor = null; this.#paint(); }, { signal });
    overlay.addEventListener("keydown", (event) => this.#key(event), { signal });
    overlay.addEventListener("focus", () => { this.hasKeys = overlay.matches(":focus-visible"); this.#paint(); }, { signal });
    overlay.addEventListener("blur", () => { this.hasKeys = false; this.#paint(); }, { signal });
    requestAnimationFrame(() => this.isConnected && this.operation && this.#begin()); // by then the page has its viewer
  }

  changed(name) {
    if (["state", "tool", "drawnAt", "size"].includes(name)) this.#keep();
    this.redraw();
  }

  /** Keep the marks until the tab is closed. The server makes the mask of clicks again, as it remembers it. */
  #keep() {
    if (!this.isConnected || !this.#isBegun) return;
    const { record, state: { base: _base, ...marks }, tool, drawnAt, size } = this;
    keepDraft(record.id, this.#draftName, { marks, tool, drawnAt, drawnFrom: this.#drawnFrom, size });
  }

  get #draftName() {
    return `${this.closest("tool-panel").operation.name} mask`;
  }

  /** Show the marks that were drawn before a reload. */
  #begin() {
    const draft = readDraft(this.record.id, this.#draftName);
    this.#isBegun = true;
    if (!draft) return;
    const { marks, tool, drawnAt, drawnFrom, size } = draft;
    this.#drawnFrom = drawnFrom;
    Object.assign(this, { state: { ...EMPTY, ...marks }, drawnAt, size });
    if (tool) this.#choose(tool);
    if (marks.points.length || marks.box) this.#find(this.state);
  }

  get hasOwnTool() {
    return this.closest("tool-panel")?.operation === this.operation;
  }

  /** Choose a marking tool, or none. A choice by keys moves the focus to the picture. */
  #choose(tool, isByKeys = false) {
    this.tool = this.tool === tool ? "" : tool;
    this.#overlay.dataset.tool = this.tool;
    this.viewer().pause();
    this.tell("stage", { overlay: this.tool ? this.#overlay : null, preview: null });
    this.drawnAt ??= this.time;
    if (this.tool) this.viewer().seek(this.drawnAt);
    if (this.tool && isByKeys) requestAnimationFrame(() => this.#overlay.focus());
    this.#paint();
  }

  /** Ignore the answer to the latest request for a mask. The marks have changed. */
  #stopFinding() {
    if (!this.isBusy) return;
    this.#asked += 1;
    this.isBusy = false;
    this.note = "";
  }

  #set(state) {
    this.#history.note(this.state);
    this.state = state;
    this.#paint();
  }

  #clear() {
    this.#stopFinding();
    this.#set(EMPTY);
  }

  #undo() {
    this.#stopFinding();
    if (this.#history.canUndo) this.state = this.#history.undo(this.state);
    this.#paint();
  }

  #redo() {
    this.#stopFinding();
    if (this.#history.canRedo) this.state = this.#history.redo(this.state);
    this.#paint();
  }

  #place(event) {
    const box = this.#overlay.getBoundingClientRect();
    const within = (value) => Number(Math.min(Math.max(value, 0), 0.9999).toFixed(4));
    return [within((event.clientX - box.left) / box.width), within((event.clientY - box.top) / box.height)];
  }

  #down(event) {
    if (event.button !== 0 || !this.tool) return;
    event.preventDefault();
    this.#overlay.setPointerCapture(event.pointerId);
    this.hasKeys = false;
    this.#mark(this.#place(event), !event.altKey);
  }

  #mark(place, adds = true) {
    if (Math.abs(this.time - this.drawnAt) <= 0.02) this.#drawnFrom = this.viewer().frameTime;
    if (this.tool === "add" || this.tool === "remove") return void this.#click(place, this.tool === "add" && adds ? 1 : -1);
    this.#drag = { from: place, points: [place] };
    return void this.#paint();
  }

  /** Move the cursor with arrows; click or draw with the space bar. The space bar begins and ends a stroke or a box. */
  #key(event) {
    const by = event.shiftKey ? 5 * STEP : STEP;
    const move = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, -by], ArrowDown: [0, by] }[event.key];
    const at = this.#cursor ?? [0.5, 0.5];
    if (move) {
      this.#cursor = at.map((value, axis) => Number(Math.min(Math.max(value + move[axis], 0), 0.9999).toFixed(4)));
      this.#drag?.points.push(this.#cursor);
    } else if (event.key === " " || event.key === "Enter") {
      this.#cursor = at;
      if (this.#drag) this.#end(at);
      else this.#mark(at);
    } else if (event.key === "Escape" && this.#drag) this.#drag = null;
    else return;
    event.preventDefault();
    this.hasKeys = true;
    this.#paint();
  }

  #move(event) {
    this.#cursor = this.#place(event);
    if (this.#drag) this.#drag.points.push(...(event.getCoalescedEvents?.() ?? []).map((part) => this.#place(part)), this.#cursor);
    this.#paintSoon();
  }

  #up(event) {
    if (this.#drag) this.#end(this.#place(event));
  }

  /**
   * End a stroke or box at a place of the picture.
   * @param {number[]} place
   */
  #end([x, y]) {
    const drag = this.#drag;
    this.#drag = null;
    if (this.tool === "box") {
      const box = [Math.min(x, drag.from[0]), Math.min(y, drag.from[1]), Math.max(x, drag.from[0]), Math.max(y, drag.from[1])];
      if (box[2] - box[0] > 0.01 && box[3] - box[1] > 0.01) this.#ask({ ...this.state, box, points: [] });
      return;
    }
    this.#set({ ...this.state, strokes: [...this.state.strokes, { adds: this.tool === "brush", size: this.size, points: drag.points }] });
  }

  /**
   * Add a click, and ask for the mask of all clicks. `sign`: 1 on the subject, another beside it.
   * @param {number[]} place  @param {number} sign
   */
  #click([x, y], sign) {
    const points = [...this.state.points, [x, y, sign]];
    if (!points.some((point) => point[2] === 1)) return void (this.note = "Click on the subject first.");
    this.#ask({ ...this.state, points });
  }

  /** Ask the server for the mask of clicks or a box. */
  #ask(state) {
    this.#set(state);
    return this.#find(state);
  }

  async #find(state) {
    const number = (this.#asked += 1);
    this.isBusy = true;
    this.note = "Finding the edges…";
    try {
      const { operation, store } = this;
      const params = { [this.#param("time")]: this.#seconds, ...(state.box ? { [this.#param("box")]: state.box } : { [this.#param("points")]: state.points }) };
      const body = { inputs: { [inputOf(operation)]: this.record.id }, params, metadata: { studio: "mask" }, listed: false };
      const job = await endedJob(store.api, operation.urls.jobs, body, { wait: 20 });
      if (job.status !== "succeeded") throw new Error(job.error?.detail ?? "No mask was found.");
      const held = await store.api.mediaUrl(outputOfRole(job, "mask", store.operations).urls.content);
      const base = new Image();
      base.src = held.url;
      await base.decode();
      if (number === this.#asked) {
        this.state = { ...this.state, base };
        this.note = resultOfRole(operation, job.result, "mask_method") === "grabcut" ? "This mask was found without a neural network: correct it with the brush where needed." : "";
      }
    } catch (error) {
      if (number === this.#asked) this.note = error.message;
    }
    if (number === this.#asked) this.isBusy = false;
    this.#paint();
  }

  /** The time of the drawn frame plus 0.5 ms. Rounding down would give the previous frame. */
  get #seconds() {
    return Number(((this.drawnAt ?? this.time) + 5e-4).toFixed(3));
  }

  /** The start time with which the server reads the drawn frame first. It is rounded down, because reading skips earlier frames. */
  get #start() {
    return Math.floor(((this.#drawnFrom ?? this.drawnAt) + 1e-6) * 1000) / 1000;
  }

  /** Paint once in the next screen refresh. All moves of the mouse until then count as one. */
  #paintSoon() {
    if (this.#due) return;
    this.#due = requestAnimationFrame(() => {
      this.#due = 0;
      this.#paint();
    });
  }

  #paint() {
    const { state } = this;
    const context = this.#overlay.getContext("2d");
    const { width, height } = this.#overlay;
    const strokes = this.#drag && this.tool !== "box" ? [...state.strokes, { adds: this.tool === "brush", size: this.size, points: this.#drag.points }] : state.strokes;
    const shown = { ...state, strokes };
    context.clearRect(0, 0, width, height);
    if (!isEmpty(shown)) {
      drawMask(this.#mask, shown);
      paintTint(context, this.#mask, TINT);
    }
    for (const [x, y, sign] of state.points) drawDot(context, [x * width, y * height], sign);
    const box = this.#drag && this.tool === "box" && this.#cursor ? [...this.#drag.from, ...this.#cursor] : state.box;
    if (box) {
      Object.assign(context, { strokeStyle: "#fff", lineWidth: 2 });
      context.setLineDash([6, 4]);
      context.strokeRect(box[0] * width, box[1] * height, (box[2] - box[0]) * width, (box[3] - box[1]) * height);
      context.setLineDash([]);
    }
    const isBrush = ["brush", "eraser"].includes(this.tool);
    const cursor = this.#cursor ?? (this.hasKeys ? [0.5, 0.5] : null);
    if (cursor && (isBrush || this.hasKeys)) drawCursor(context, [cursor[0] * width, cursor[1] * height], isBrush ? (this.size * width) / 2 : 0);
  }

  /** Save the mask at the clip's size and give it to the tool. */
  async #use() {
    if (this.isBusy) return;
    const { width, height } = this.record.media;
    const full = Object.assign(document.createElement("canvas"), { width, height });
    drawMask(full, this.state);
    this.isBusy = true;
    try {
      const blob = await new Promise((resolve) => full.toBlob(resolve, "image/png"));
      const file = new File([blob], `mask of ${this.record.name.replace(/\.\w+$/, "")} at ${position(this.drawnAt).replace(":", "-")}.png`, { type: "image/png" });
      const [record] = await this.uploads.add([file]);
      if (!record) throw new Error("The mask could not be saved.");
      if (this.hasOwnTool) this.note = `Saved in your library as ${record.name}.`;
      else this.#give(record);
    } catch (error) {
      this.note = error.message;
    }
    this.isBusy = false;
  }

  #give(record) {
    const { operation } = this.closest("tool-panel");
    const name = inputOfRole(operation, "mask");
    const isLate = this.#start > 0.5 / rateOf(this.record.media);
    const params = { ...operation.inputs[name].sets };
    const start = paramOf(operation, "role", "part_start");
    if (start) params[start] = isLate ? this.#start : undefined;
    const keeps = paramOf(operation, "role", "keeps_times");
    if (keeps) params[keeps] = isLate || undefined; // so that the result fits the whole clip
    const fits = !isLate || Boolean(keeps && mayBeSet(operation, this.params, keeps));
    this.tell("media-input", { name, value: record.id, params });
    this.note = `This mask is now an input of the tool.${start && !fits ? ` The result begins at its frame, ${position(this.#start)}.` : ""}`;
    this.#choose("");
    this.tell("stage", { overlay: null });
  }

  /** Return the name of the mask operation's parameter with the widget `widget`. */
  #param(widget) {
    return paramOf(this.operation, "widget", widget);
  }

  /** Give the clicks to the mask tool as its params. */
  #giveClicks() {
    const { state } = this;
    const values = { points: state.box ? undefined : state.points, box: state.box ?? undefined, frame: undefined, time: this.#seconds };
    for (const [widget, value] of Object.entries(values)) this.tell("param", { name: this.#param(widget), value });
    this.note = "The clicks are now in the form. Press Make it.";
  }

  view() {
    if (!this.operation) return null;
    const { tool, state, isBusy } = this;
    const isBrush = ["brush", "eraser"].includes(tool);
    const hint = TOOLS.find(([name]) => name === tool)?.[2];
    return html`<section class="mask-bench" aria-label="Mask">
      <div class="bench-bar">
        <div class="segments" role="group" aria-label="Mask tools">${TOOLS.map(([name, label, title]) => html`<button type="button" title=${title} aria-pressed=${String(tool === name)}
          @click=${(event) => this.#choose(name, event.detail === 0)}>${label}</button>`)}</div>
        ${isBrush && html`<label>Size <input type="range" min="0.01" max="0.25" step="0.005" .value=${String(this.size)} @input=${(event) => { this.size = Number(event.target.value); this.#paint(); }}></label>`}
        <button type="button" class="quiet" ?disabled=${isEmpty(state)} @click=${() => this.#set({ ...state, isInverted: !state.isInverted })}>Invert</button>
        <button type="button" class="icon quiet" aria-label="Undo" ?disabled=${!this.#history.canUndo} @click=${() => this.#undo()}>${icon("undo")}</button>
        <button type="button" class="icon quiet" aria-label="Redo" ?disabled=${!this.#history.canRedo} @click=${() => this.#redo()}>${icon("redo")}</button>
        <button type="button" class="quiet" ?disabled=${isEmpty(state)} @click=${() => this.#clear()}>Clear</button>
      </div>
      <div class="bench-bar"><p class="muted small" role="status">${isBusy && html`<span class="spinner"></span>`} ${this.note || (hint ? `${hint}${this.hasKeys ? ". Arrow keys move the cursor, space marks" : ""}. Frame at ${position(this.drawnAt ?? 0)}.` : "Mark what to keep: pause on a frame that shows the subject clearly, then choose a tool.")}
        ${tool && Math.abs(this.time - this.drawnAt) > 0.02 && html`<button type="button" class="quiet small" @click=${() => { this.drawnAt = this.time; this.#drawnFrom = this.viewer().frameTime; this.#set(EMPTY); }}>Draw on the frame at ${position(this.time)} instead</button>`}</p>
        ${this.hasOwnTool
          ? html`<button type="button" ?disabled=${isBusy || isEmpty(state)} @click=${() => this.#use()}>Save the mask</button>
            <button type="button" class="primary" ?disabled=${isBusy || !(state.points.length || state.box)} @click=${() => this.#giveClicks()}>Use these clicks</button>`
          : html`<button type="button" class="primary" ?disabled=${isBusy || isEmpty(state)} @click=${() => this.#use()}>Use this mask</button>`}
      </div>
    </section>`;
  }
}

Element.define("mask-bench", MaskBench);
