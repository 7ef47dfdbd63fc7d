// The list in which the user chooses a tool's clip, after opening the tool with a medium for another input, such as a background.

import { Element } from "../base/element.js";
import { html, keyed } from "../base/html.js";
import { icon } from "../base/icons.js";
import { words } from "../base/format.js";
import { clipId } from "../base/outputs.js";
import { mainInputs } from "../base/takers.js";
import { toolAddress } from "../common/route.js";
import "../common/sheet_handle.js";

class ClipChoice extends Element {
  /** Properties of the element. `record`: the medium that becomes the input `route.as` of the tool `route.tool`. */
  static props = { store: null, record: null, route: null };

  enter() {
    this.store.watch(() => this.redraw(), this.leaving);
  }

  /** Return the media that the tool can work on. First comes the clip of the job that made `record`. */
  #clips(operation) {
    const { store, record } = this;
    const kinds = mainInputs(operation).flatMap((name) => operation.inputs[name].kinds);
    const job = store.jobs.get(record.source);
    const maker = job && clipId(job, store.operations);
    const clips = store.shownMedia.filter(({ id, kind }) => id !== record.id && kinds.includes(kind));
    return clips.sort((a, b) => Number(b.id === maker) - Number(a.id === maker));
  }

  view() {
    const { store, record, route } = this;
    const operation = store.operation(route.tool);
    const port = operation?.inputs[route.as];
    if (!port) return html`<div class="panel"><p class="error">This server has no tool ${route.tool} with an input ${route.as}.</p></div>`;
    return html`<sheet-handle .label=${operation.title} .content=${"clip-choice"}></sheet-handle><div class="panel" id="clip-choice">
      <header class="tool-head">
        <a class="icon button quiet" href=${`#/clip/${record.id}`} aria-label="All tools" title="All tools">${icon("back")}</a>
        <div><h2>${operation.title}</h2><p class="muted small">${port.title || words(route.as)}: ${store.nameOf(record)}. Choose the clip.</p></div>
      </header>
      <ul class="choices" aria-label="Clips">${this.#clips(operation).map((clip) =>
        keyed(clip.id, html`<li><a class="button choice" href=${toolAddress(clip.id, operation.name, { give: `${route.as}:${record.id}` })}>
          <media-picture .src=${clip.urls.thumbnail ?? ""}></media-picture><span>${store.nameOf(clip)}</span></a></li>`))}</ul>
      ${store.hasMore && html`<button type="button" @click=${() => store.readMore()}>Older clips</button>`}
    </div>`;
  }
}

Element.define("clip-choice", ClipChoice);
