// The settings of one point of a speed curve: speed, change towards the next point, freeze.

import { html } from "../base/html.js";
import { changedPoint, clamp } from "./edit.js";

/** Name of the press that adds a point, with a finger or a mouse. */
export const DOUBLE_PRESS = matchMedia("(hover: none)").matches ? "double-tap" : "double-click";
const known = new WeakMap(); // parameter -> fields of its points

/** Return the declared fields of a curve's point, by name. They are {speed: {min, max}, easing: {options, labels, fallback}, ...}. `parameter`: the curve. */
export function fieldsOf(parameter) {
  if (!known.has(parameter)) known.set(parameter, Object.fromEntries(parameter.items.cells.map((field) => [field.key, field])));
  return known.get(parameter);
}

/** Return the number in a field within its declared limits, and show it there. `missing`: the number of an empty field. */
function entered(target, { min, max }, missing) {
  const value = clamp(target.value === "" ? missing : Number(target.value), min, max);
  target.value = String(value);
  return value;
}

/**
 * Return the template of the bar for the point `chosen`. `fields`: as declared; `set(points, {chosen})` takes the changed points; `note`: a text at the end.
 * @param {{ points: any[], chosen: number, fields: any, set: (points: any[], options?: any) => void, note: string }} bar
 */
export function pointBar({ points, chosen, fields, set, note }) {
  const index = Math.min(chosen, points.length - 1);
  const point = points[index];
  const { speed, freeze, easing } = fields;
  const change = (values) => set(changedPoint(points, index, values));
  return html`<div class="bench-bar point-bar">
    <span class="muted small">Point ${index + 1} of ${points.length}</span>
    <label>Speed <input type="number" min=${speed.min} max=${speed.max} step="any" inputmode="decimal" .value=${String(Number(point.speed.toFixed(2)))} @change=${({ target }) => change({ speed: entered(target, speed, point.speed) })}>×</label>
    <div class="segments" role="group" aria-label="Change of speed up to the next point">${easing.options.map((name) => html`<button type="button" aria-pressed=${String((point.easing ?? easing.fallback) === name)}
      @click=${() => change({ easing: name })}>${easing.labels[name]}</button>`)}</div>
    <label>Freeze <input type="number" min=${freeze.min} max=${freeze.max} step="any" inputmode="decimal" .value=${String(point.freeze ?? 0)} @change=${({ target }) => change({ freeze: entered(target, freeze, freeze.min) })}> s</label>
    <button type="button" class="quiet" ?disabled=${index === 0} @click=${() => set(points.filter((_, other) => other !== index), { chosen: index - 1 })}>Remove</button>
    <span class="muted small bench-note">${note}</span>
  </div>`;
}
