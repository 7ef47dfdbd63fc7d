// The uploads under way, each with its progress, and a retry where the same file may succeed.

import { Element } from "../base/element.js";
import { html, keyed } from "../base/html.js";
import { icon } from "../base/icons.js";
import { bytes, remaining } from "../base/format.js";
import { fingerprint, giveUp, unfinished } from "../server/upload.js";

const LARGE_BYTES = 64 * 1024 * 1024; // size from which comparing a file takes noticeable time

class UploadList extends Element {
  /** Properties of the element. The element sends `pick` to open the file dialog. */
  static props = { store: null, uploads: null };

  enter() {
    this.uploads.watch(() => this.redraw(), this.leaving);
  }

  view() {
    const { entries } = this.uploads;
    const sent = new Set(entries.map(({ file }) => fingerprint(file)));
    const left = unfinished().filter(({ print }) => !sent.has(print));
    if (!entries.length && !left.length) return null;
    const again = entries.filter((entry) => entry.canRetry).length;
    return html`<section class="uploads" aria-label="Uploads">
      <div class="row"><h2>${titleOf(entries)}</h2>
        ${again > 1 && html`<button type="button" @click=${() => this.uploads.retryAll()}>${icon("retry")}Retry all</button>`}</div>
      <ul>${entries.map((entry) => keyed(entry.id, this.#entry(entry)))}${left.map((stopped) => keyed(stopped.print, this.#stopped(stopped)))}</ul>
    </section>`;
  }

  #stopped({ print, name }) {
    return html`<li class="upload">
      <p class="name">${name}</p><p class="muted small">Choose the same file again to continue.</p>
      <div class="row">
        <button type="button" @click=${() => this.tell("pick")}>Choose</button>
        <button type="button" class="icon quiet" aria-label=${`Forget ${name}`} @click=${() => { giveUp(this.store.api, print); this.redraw(); }}>${icon("close")}</button>
      </div>
    </li>`;
  }

  #entry(entry) {
    const isCompared = entry.state === "comparing" && entry.size >= LARGE_BYTES;
    const fraction = entry.size ? (isCompared ? entry.compared : entry.sent) / entry.size : 0;
    return html`<li class=${`upload ${entry.state}`}>
      <p class="name">${entry.name}</p>
      ${entry.state === "failed"
        ? html`<p class="error" role="alert">${entry.error}</p>`
        : html`<progress max="1" .value=${fraction} aria-label=${`Upload of ${entry.name}`}></progress><p class="muted small">${textOf(entry)}</p>`}
      <div class="row">
        ${isCompared && html`<button type="button" title="Send the file without comparing it" @click=${() => this.uploads.skip(entry)}>Skip</button>`}
        ${entry.canRetry && html`<button type="button" @click=${() => this.uploads.retry(entry)}>${icon("retry")}Retry</button>`}
        <button type="button" class="icon quiet" aria-label=${`Remove ${entry.name}`} @click=${() => this.uploads.cancel(entry)}>${icon("close")}</button>
      </div>
    </li>`;
  }
}

/** Return the heading of the list. Once all uploads have ended, it holds only failed ones. */
function titleOf(entries) {
  if (!entries.length) return "Unfinished uploads";
  const isOver = entries.every(({ state }) => state === "failed");
  if (entries.length === 1) return isOver ? "1 file was not added" : "1 upload";
  return isOver ? `${entries.length} files were not added` : `${entries.length} uploads`;
}

function textOf(entry) {
  if (entry.state === "waiting") return "Waiting";
  if (entry.state === "comparing") return entry.size < LARGE_BYTES ? "Comparing with the library…" : `Comparing with the library… ${Math.floor((entry.compared / entry.size) * 100)} %`;
  if (entry.state === "checking") return "Checking the file…";
  const took = (performance.now() - entry.began) / 1000;
  const speed = took > 0.5 && entry.from !== null ? (entry.sent - entry.from) / took : 0;
  const left = speed ? ` · ${bytes(speed)}/s · ${remaining((entry.size - entry.sent) / speed)} left` : "";
  return `${bytes(entry.sent)} of ${bytes(entry.size)}${left}`;
}

Element.define("upload-list", UploadList);
