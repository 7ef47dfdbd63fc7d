// The list of what can be made of a clip: looks to start with, all tools, pipelines, and what was made before.

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

const SERVICES = {
  "speed-ramp": ["Speed", "ramp"],
  effects: ["Effects", "trails"],
  keyframes: ["Shots and keyframes", "frames"],
  aesthetics: ["Best pictures", "star"],
  matting: ["Cut out", "person"],
  background: ["Background", "layers"],
  media: ["Convert and cut", "cut"],
};

/** Operations that the viewer runs itself; the list of tools leaves them out. */
export const VIEWS = new Set(["media.proxy", "media.strip", "media.peaks", "speed-ramp.plan"]);

class ToolList extends Element {
  static props = { store: null, record: null };

  enter() {
    this.store.watch(() => this.redraw(), this.leaving);
  }

  view() {
    const { record, store } = this;
    const tools = store.operations.filter(({ name }) => !VIEWS.has(name));
    const fitting = toolsFor(tools, record.kind);
    const services = [...new Set(fitting.map(({ service }) => service))].sort((a, b) => rank(a) - rank(b));
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

  /** The roles that the medium can have for tools on another clip. One is a composite's background. */
  #roles(roles) {
    const operations = [...new Set(roles.map(({ operation }) => operation))].sort((a, b) => rank(a.service) - rank(b.service));
    if (!operations.length) return null;
    return html`<details ?open=${this.record.kind !== "video"}><summary>Use with another clip, as</summary>
      <ul class="tool-list">${operations.map((operation) => html`<li class="tool-group"><span class="tool-glyph">${icon(SERVICES[operation.service]?.[1] ?? "sparkle")}</span>
        <div><h3>${operation.title}</h3><div class="chips">${roles.filter((role) => role.operation === operation).map(({ name, port }) => this.#role(operation, name, port))}</div></div></li>`)}</ul>
    </details>`;
  }

  #role(operation, name, port) {
    return html`<a class=${`chip ${operation.available ? "" : "unavailable"}`} href=${toolAddress(this.record.id, operation.name, { as: name })}
      title=${port.description || operation.summary}>${port.title || words(name)}</a>`;
  }

  #service(service, operations) {
    const [title, glyph] = SERVICES[service] ?? [words(service), "sparkle"];
    return html`<li class="tool-group"><span class="tool-glyph">${icon(glyph)}</span><div><h3>${title}</h3><div class="chips">${operations.map(
      (operation) => html`<a class=${`chip ${operation.available ? "" : "unavailable"}`} href=${toolAddress(this.record.id, operation.name)}
        title=${operation.available ? operation.summary : `${operation.summary}. Needs a model that is not installed.`}>${operation.title ?? words(operation.name.split(".")[1])}</a>`,
    )}</div></div></li>`;
  }

  #made() {
    const jobs = [...this.store.jobs.values()].filter((job) => job.status === "succeeded" && clipId(job) === this.record.id).slice(0, 8);
    const shown = jobs.filter((job) => picturedOutput(job));
    if (!shown.length) return null;
    return html`<section aria-labelledby="made"><h2 id="made">Made from this clip</h2><ul class="made-list">${shown.map((job) =>
      keyed(job.id, html`<li><a href=${`#/job/${job.id}`}><media-picture .src=${picturedOutput(job).urls.thumbnail}></media-picture>
        <span>${this.store.operation(job.operation)?.title ?? words(job.operation.split(".").at(-1))}</span><span class="muted small">${ago(job.created_at)}</span></a></li>`),
    )}</ul></section>`;
  }
}

function rank(service) {
  const place = Object.keys(SERVICES).indexOf(service);
  return place < 0 ? 99 : place;
}

Element.define("tool-list", ToolList);
