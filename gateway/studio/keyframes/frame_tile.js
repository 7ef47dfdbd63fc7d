// A small picture of one frame of the proxy.

import { Element } from "../base/element.js";
import { html } from "../base/html.js";

const WIDTH = 240;

class FrameTile extends Element {
  /** Properties of the element. `source`: a FrameSource; `index`: number of the proxy's frame. */
  static props = { source: null, index: 0, label: "" };
  #seen = null;
  #isSeen = false;

  enter() {
    this.#seen = new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      this.#seen.disconnect();
      this.#isSeen = true;
      this.#paint();
    });
    this.#seen.observe(this);
  }

  leave() {
    this.#seen.disconnect();
  }

  changed(name) {
    if (name !== "label") this.#paint();
    this.redraw();
  }

  async #paint() {
    const { source, index } = this;
    if (!source || !this.#isSeen) return;
    const frame = await source.frame(index).catch(() => null);
    const canvas = this.querySelector("canvas");
    if (!frame || !canvas || index !== this.index) return;
    Object.assign(canvas, { width: WIDTH, height: Math.round((WIDTH * source.height) / source.width) });
    canvas.getContext("2d").drawImage(frame, 0, 0, canvas.width, canvas.height);
  }

  view() {
    return html`<canvas role="img" aria-label=${this.label}></canvas>`;
  }
}

Element.define("frame-tile", FrameTile);
