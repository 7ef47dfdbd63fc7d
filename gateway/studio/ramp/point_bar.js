// The settings of one point of a speed curve: speed, change towards the next point, freeze.

import { html } from "../base/html.js";
import { changedPoint, FASTEST, SLOWEST } from "./edit.js";

const EASINGS = [["linear", "Straight"], ["smooth", "Smooth"], ["hold", "Hold"]];

/**
 * The bar of the point `chosen`. `set(points, {chosen})` takes the changed points; `note`: a text at the end.
 * @param {{ points: any[], chosen: number, set: (points: any[], options?: any) => void, note: string }} bar
 */
export function pointBar({ points, chosen, set, note }) {
  const index = Math.min(chosen, points.length - 1);
  const point = points[index];
  const change = (values) => set(changedPoint(points, index, values));
  const speed = ({ target }) => {
    const value = Number(target.value);
    if (value >= SLOWEST && value <= FASTEST) change({ speed: value });
  };
  return html`<div class="bench-bar point-bar">
    <span class="muted small">Point ${index + 1} of ${points.length}</span>
    <label>Speed <input type="number" min=${SLOWEST} max=${FASTEST} step="any" inputmode="decimal" .value=${String(Number(point.speed.toFixed(2)))} @change=${speed}>×</label>
    <div class="segments" role="group" aria-label="Change of speed up to the next point">${EASINGS.map(([name, label]) => html`<button type="button" aria-pressed=${String((point.easing ?? "linear") === name)}
      @click=${() => change({ easing: name })}>${label}</button>`)}</div>
    <label>Freeze <input type="number" min="0" max="60" step="any" inputmode="decimal" .value=${String(point.freeze ?? 0)} @change=${(event) => change({ freeze: Number(event.target.value) })}> s</label>
    <button type="button" class="quiet" ?disabled=${index === 0} @click=${() => set(points.filter((_, other) => other !== index), { chosen: index - 1 })}>Remove</button>
    <span class="muted small bench-note">${note}</span>
  </div>`;
}
