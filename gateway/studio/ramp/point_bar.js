// The settings of one point of a speed curve: speed, change towards the next point, freeze.

import { html } from "../base/html.js";
import { changedPoint } from "./edit.js";

const EASINGS = [["linear", "Straight"], ["smooth", "Smooth"], ["hold", "Hold"]];

/** The declared limits of a point's fields. They are {speed: {min, max}, freeze: {min, max}, ...}. `parameter`: the curve. */
export function limitsOf(parameter) {
  return Object.fromEntries(parameter.items.cells.map(({ key, min, max }) => [key, { min, max }]));
}

/**
 * The bar of the point `chosen`. `limits`: of its fields; `set(points, {chosen})` takes the changed points; `note`: a text at the end.
 * @param {{ points: any[], chosen: number, limits: any, set: (points: any[], options?: any) => void, note: string }} bar
 */
export function pointBar({ points, chosen, limits, set, note }) {
  const index = Math.min(chosen, points.length - 1);
  const point = points[index];
  const change = (values) => set(changedPoint(points, index, values));
  const speed = ({ target }) => {
    const value = Number(target.value);
    if (value >= limits.speed.min && value <= limits.speed.max) change({ speed: value });
  };
  return html`<div class="bench-bar point-bar">
    <span class="muted small">Point ${index + 1} of ${points.length}</span>
    <label>Speed <input type="number" min=${limits.speed.min} max=${limits.speed.max} step="any" inputmode="decimal" .value=${String(Number(point.speed.toFixed(2)))} @change=${speed}>×</label>
    <div class="segments" role="group" aria-label="Change of speed up to the next point">${EASINGS.map(([name, label]) => html`<button type="button" aria-pressed=${String((point.easing ?? "linear") === name)}
      @click=${() => change({ easing: name })}>${label}</button>`)}</div>
    <label>Freeze <input type="number" min=${limits.freeze.min} max=${limits.freeze.max} step="any" inputmode="decimal" .value=${String(point.freeze ?? 0)} @change=${(event) => change({ freeze: Number(event.target.value) })}> s</label>
    <button type="button" class="quiet" ?disabled=${index === 0} @click=${() => set(points.filter((_, other) => other !== index), { chosen: index - 1 })}>Remove</button>
    <span class="muted small bench-note">${note}</span>
  </div>`;
}
