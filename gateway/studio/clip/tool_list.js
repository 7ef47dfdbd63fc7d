// The list beside a clip: looks to start with, all tools, pipelines, and the clip's earlier results.

import { Element } from "../base/element.js";
import { html, keyed } from "../base/html.js";
import { icon } from "../base/icons.js";
import { ago, words } from "../base/format.js";
import { clipId, picturedOutput } from "../base/outputs.js";
import { rolesFor, toolsFor } from "../base/takers.js";
import { toolAddress } from "../common/route.js";
import { startCards } from "../presets/start_cards.js";
import "../common/sheet_handle.js";
import "../presets/preset_card.js";

class ToolList extends Element {
  static props = { store: null, record: null };

  enter() {
    this.store.watch(() => this.redraw(), this.leaving);
  }

  view() {
    const { record, store } = this;
    const tools = store.operations.filter((operation) => operation.is_tool);
    const fitting = toolsFor(tools, record.kind);
    const services = [...new Set([...fitting].sort(byPlace).map(({ service }) => service))];
    const cards = record.kind === "video" ? startCards(store) : [];
    return html`<sheet-handle .label=${cards.length ? "Looks and tools" : "Tools"} .content=${"tool-list"}></sheet-handle><div class="panel" id="tool-list">
      ${cards.length > 0 && html`<section aria-labelledby="looks"><h2 id="looks">Start with a look</h2>
        <ul class="preset-cards">${cards.map((card) => keyed(`${record.id} ${card.title}`, html`<li><preset-card .store=${store} .record=${record} .card=${card}></preset-card></li>`))}</ul></section>`}
      ${fitting.length > 0 && html`<section aria-labelledby="tools"><h2 id="tools">Tools</h2>
        <ul class="tool-list">${services.map((service) => this.#service(service, fitting.filter((operation) => operation.service === service)))}</ul>
        ${record.kind === "video" && html`<a class="tool-link" href=${`#/pipelines?clip=${record.id}`}>${icon("path")}<span><b>Pipelines</b><span class="muted small">Run several tools in a row</span></span></a>`}
      </section>`}
      ${this.#roles(rolesFor(tools, record.kind))}
      ${this.#made()}
    </div>`;
  }

  /** Return links to the tools that take the medium as a secondary input. Example: as a composite's background. */
  #roles(roles) {
    const operations = [...new Set(roles.map(({ operation }) => operation))].sort(byPlace);
    if (!operations.length) return null;
    return html`<details ?open=${this.record.kind !== "video"}><summary>Use with another clip, as</summary>
      <ul class="tool-list">${operations.map((operation) => html`<li class="tool-group"><span class="tool-glyph">${icon(operation.tools?.icon ?? "sparkle")}</span>
        <div><h3>${operation.title}</h3><div class="chips">${roles.filter((role) => role.operation === operation).map(({ name, port }) => this.#role(operation, name, port))}</div></div></li>`)}</ul>
    </details>`;
  }

  #role(operation, name, port) {
    return html`<a class=${`chip ${operation.available ? "" : "unavailable"}`} href=${toolAddress(this.record.id, operation.name, { as: name })}
      title=${port.description || operation.summary}>${port.title || words(name)}</a>`;
  }

  #service(service, operations) {
    const { title = words(service), icon: glyph = "sparkle" } = operations[0].tools ?? {};
    return html`<li class="tool-group"><span class="tool-glyph">${icon(glyph)}</span><div><h3>${title}</h3><div class="chips">${operations.map(
      (operation) => html`<a class=${`chip ${operation.available ? "" : "unavailable"}`} href=${toolAddress(this.record.id, operation.name)}
        title=${operation.available ? operation.summary : `${operation.summary}. Needs a model that is not installed.`}>${operation.title ?? words(operation.name.split(".")[1])}</a>`,
    )}</div></div></li>`;
  }

  #made() {
    const { operations } = this.store;
    const jobs = [...this.store.jobs.values()].filter((job) => job.status === "succeeded" && clipId(job, operations) === this.record.id).slice(0, 8);
    const shown = jobs.filter((job) => picturedOutput(job, operations));
    if (!shown.length) return null;
    return html`<section aria-labelledby="made"><h2 id="made">Made from this clip</h2><ul class="made-list">${shown.map((job) =>
      keyed(job.id, html`<li><a href=${`#/job/${job.id}`}><media-picture .src=${picturedOutput(job, operations).urls.thumbnail}></media-picture>
        <span>${this.store.operation(job.operation)?.title ?? words(job.operation.split(".").at(-1))}</span><span class="muted small">${ago(job.created_at)}</span></a></li>`),
    )}</ul></section>`;
  }
}

/** Order two operations by the place of their service's tools. */
function byPlace(first, second) {
  return (first.tools?.place ?? Infinity) - (second.tools?.place ?? Infinity) || 0;
}

Element.define("tool-list", ToolList);
