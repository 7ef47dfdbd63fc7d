// The timeline of shots: pictures, scores with their threshold, transitions, keyframes. The gallery page uses the same modules.

import { Element } from "../base/element.js";
import { html } from "../base/html.js";
import { position } from "../base/format.js";
import { drawTile, stripOf } from "../server/views.js";
import { handlePointer } from "../timeline/pointer.js";
import { Timeline } from "../timeline/timeline.js";

const PICTURE = [160, 90];
const ZOOM = 1.6;

class ShotTimeline extends Element {
  /**
   * Properties of the element. `shots`, `picks`: with times; `scores`: {times, values} or null. Sends `seek` with seconds and `threshold`
   * with a score.
   */
  static props = { store: null, record: null, shots: [], picks: [], scores: null, threshold: 1, usual: 1, time: 0, hover: null };
  #timeline = null;
  #strip = null;
  #pictures = new Map(); // time -> canvas

  enter() {
    stripOf(this.store.api, this.record).then((strip) => { this.#strip = strip; this.#timeline?.redraw(); }).catch(() => {});
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#timeline?.redraw(), { signal: this.leaving });
  }

  drawn() {
    this.#timeline ??= this.#make();
    const timeline = this.#timeline;
    if (timeline.time !== this.time) timeline.view.reveal(this.time);
    timeline.time = this.time;
    timeline.picks = this.picks;
    timeline.hovered = this.hover;
    timeline.show({ values: this.scores?.values ?? null, threshold: this.threshold, defaultThreshold: this.usual, shots: this.shots });
  }

  #make() {
    const [overview, canvas] = this.querySelectorAll("canvas");
    const timeline = new Timeline({ canvas, overview, pictureOf: (shot) => this.#picture(shot) });
    timeline.open({ duration: this.record.media.duration_s, scores: this.scores });
    handlePointer(timeline, {
      seek: (time) => this.tell("seek", time),
      hover: (time) => (this.hover = time),
      threshold: (value) => this.tell("threshold", value),
      moved: () => timeline.redraw(),
    });
    return timeline;
  }

  /** Return a picture from the middle of a shot. */
  #picture({ start, end }) {
    if (!this.#strip) return null;
    const time = (start + end) / 2;
    if (!this.#pictures.has(time)) {
      const canvas = Object.assign(document.createElement("canvas"), { width: PICTURE[0], height: PICTURE[1] });
      drawTile(canvas.getContext("2d"), this.#strip, time, [0, 0, canvas.width, canvas.height]);
      this.#pictures.set(time, canvas);
    }
    return this.#pictures.get(time);
  }

  #key(event) {
    const { view } = this.#timeline;
    const factor = { "+": ZOOM, "=": ZOOM, "-": 1 / ZOOM, 0: 0 }[event.key];
    if (factor === undefined || event.ctrlKey || event.metaKey) return;
    if (factor) view.zoom(factor, this.time);
    else view.fit();
    this.#timeline.redraw();
  }

  view() {
    const { time, hover, record } = this;
    const duration = record.media.duration_s;
    return html`<div class="shot-timeline">
      <canvas class="overview" aria-hidden="true"></canvas>
      <canvas class="track" role="slider" tabindex="0" aria-label="Timeline of shots" aria-valuemin="0" aria-valuemax=${duration} aria-valuenow=${time.toFixed(2)}
        aria-valuetext=${`${position(time)} of ${position(duration)}`} title="Drag to move. Zoom with Ctrl and the wheel, or with + and -. 0 shows the whole clip." @keydown=${(event) => this.#key(event)}></canvas>
      ${hover !== null && html`<span class="timeline-time small">${position(hover)}</span>`}
    </div>`;
  }
}

Element.define("shot-timeline", ShotTimeline);
