// <media-picture>: a picture from the server, also where requests need a key. An empty box keeps the place until the picture has arrived.

import { Element } from "../base/element.js";
import { html } from "../base/html.js";

const AGAIN_MS = [1000, 4000]; // pauses before a picture is requested again: browsers drop requests when the network changes

let api = null;

/** Set the Api through which pictures are fetched. */
export function setPictureApi(given) {
  api = given;
}

class MediaPicture extends Element {
  /** Properties of the element. `src`: the path on the server; `alt`: text. */
  static props = { src: "", alt: "", url: "", isBroken: false };
  #held = null;
  #failures = 0;

  enter() {
    this.#load();
  }

  leave() {
    this.#held?.release();
    this.#held = null;
  }

  changed(name) {
    if (name === "src" && this.isConnected) this.#load();
    this.redraw();
  }

  async #load() {
    const { src } = this;
    this.isBroken = false;
    this.#failures = 0;
    if (!src) return void (this.url = "");
    const held = await api.mediaUrl(src, this.leaving).catch(() => null);
    if (this.src !== src || !this.isConnected) return void held?.release();
    this.#held?.release();
    this.#held = held;
    this.url = held?.url ?? "";
  }

  /** Show the empty box, and request the picture again after a pause. */
  async #fail() {
    const { src } = this;
    this.isBroken = true;
    const wait = AGAIN_MS[this.#failures];
    if (!wait) return;
    this.#failures += 1;
    await new Promise((resolve) => setTimeout(resolve, wait));
    if (this.src === src && this.isConnected) this.isBroken = false;
  }

  view() {
    if (!this.url || this.isBroken) return html`<span class="blank"></span>`;
    return html`<img src=${this.url} alt=${this.alt} loading="lazy" decoding="async" draggable="false" @error=${() => this.#fail()}>`;
  }
}

Element.define("media-picture", MediaPicture);
