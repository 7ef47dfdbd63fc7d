// The first screen of an empty library: choose a clip, or see examples made from the sample clip.

import { Element } from "../base/element.js";
import { html } from "../base/html.js";
import { icon } from "../base/icons.js";
import { isSample } from "../state/store.js";
import { startCards } from "../presets/start_cards.js";
import "../presets/preset_card.js";

class Welcome extends Element {
  static props = { store: null };

  enter() {
    this.store.watch(() => this.redraw(), this.leaving); // the operations come after the lists
  }

  view() {
    const sample = this.store.shownMedia.find((record) => isSample(record) && record.kind === "video" && record.media.audio?.length);
    const cards = sample ? startCards(this.store).filter(({ ofPeople }) => !ofPeople) : []; // the sample shows no person
    return html`<section class="welcome">
      <div class="welcome-text">
        <h1>Make something from a clip</h1>
        <p>Choose a clip from your phone or computer, tap a look, press <b>Make it</b>.</p>
        <div class="row start">
          <button type="button" class="primary large" @click=${() => this.tell("pick")}>${icon("upload")}Choose a clip</button>
          <button type="button" class="large" @click=${() => this.tell("link")}>${icon("link")}From a link</button>
        </div>
        <p class="muted small"><span class="with-mouse">Or drop files anywhere on this page. </span>Files stay on this server.</p>
      </div>
      ${cards.length > 0 &&
      html`<div class="welcome-examples"><h2>Examples, made from the sample clip</h2><ul class="preset-cards">${cards.map(
        (card) => html`<li><preset-card .store=${this.store} .record=${sample} .card=${card} .isExample=${true}></preset-card></li>`,
      )}</ul></div>`}
    </section>`;
  }
}

Element.define("studio-welcome", Welcome);
