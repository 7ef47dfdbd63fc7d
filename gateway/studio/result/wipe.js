// The border between source and result, which is dragged or moved by arrow keys.

import { html } from "../base/html.js";

const STEP = 0.02; // share of the width by which an arrow key moves the border

/** Return the template of the wipe's handle. `at`: place of the border, 0 to 1; `move(at)`: moves the border. */
export function wipeHandle(at, move) {
  const bounded = (place) => Math.min(Math.max(place, 0), 1);
  const drag = (event) => {
    if (!(event.buttons & 1)) return;
    const box = event.currentTarget.parentElement.getBoundingClientRect();
    move(bounded((event.clientX - box.left) / box.width));
  };
  const key = (event) => {
    const step = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
    if (!step) return;
    event.preventDefault();
    move(bounded(at + step));
  };
  return html`<div class="wipe" role="slider" tabindex="0" data-keys="own" aria-label="Border between source and result" aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(at * 100)}
    :--at=${at} @keydown=${key} @pointerdown=${(event) => event.currentTarget.setPointerCapture(event.pointerId)} @pointermove=${drag}><span></span></div>`;
}
