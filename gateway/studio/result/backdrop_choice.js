// The choice of the backdrop behind the subject of a matte: a picture file, or a picture or clip of the library.

import { Element } from "../base/element.js";
import { html, keyed } from "../base/html.js";

const MORE = "more"; // value of the option "Older ones…", which is no media id

class BackdropChoice extends Element {
  /** Properties of the element. `clip`, `matte`: records to leave out of the choices. Sends `backdrop` with {file} or {record}. */
  static props = { store: null, clip: null, matte: null, chosen: "" };

  enter() {
    this.store.watch(() => this.redraw(), this.leaving);
  }

  get #records() {
    const { store, clip, matte } = this;
    return store.shownMedia.filter(({ id, kind }) => ["image", "video"].includes(kind) && id !== clip.id && id !== matte.id);
  }

  #choose(value) {
    if (value === MORE) {
      this.querySelector("select").value = this.chosen;
      return void this.store.readMore();
    }
    this.chosen = value;
    return void this.tell("backdrop", { record: this.store.media.get(value) });
  }

  #pick(input) {
    const [file] = input.files;
    input.value = ""; // allows choosing the same file again
    if (!file) return;
    this.chosen = "";
    this.tell("backdrop", { file });
  }

  view() {
    const { store, chosen } = this;
    return html`<label class="button quiet">Background…<input type="file" class="unseen" accept="image/*" aria-label="Picture behind the subject" @change=${(event) => this.#pick(event.target)}></label>
      <select aria-label="Background from the library" .value=${chosen} @change=${(event) => this.#choose(event.target.value)}>
        <option value="" disabled hidden>From the library</option>
        ${this.#records.map((record) => keyed(record.id, html`<option value=${record.id}>${store.nameOf(record)}</option>`))}
        ${store.hasMore && html`<option value=${MORE}>Older ones…</option>`}
      </select>`;
  }
}

Element.define("backdrop-choice", BackdropChoice);
