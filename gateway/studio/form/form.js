// The form of an operation's parameters: basic parameters first, other parameters folded under More and Expert.

import { html, keyed } from "../base/html.js";
import { problemText } from "./rows.js";
import { lackOf } from "./schema.js";
import "./param_field.js";

const FOLDED = [["more", "More"], ["expert", "Expert"]];

/**
 * Return the template of a form's fields, for `parameters` with their `values`. Fields send `param` with {name, value}.
 * `problems`: {name: [{path, detail}]}; `place`: of the form on the page, for unique ids; `first`, `more`: other fields before the basic ones,
 * and under More; `offersOf(parameter)`: values to take over; `context`: {store, time, frame, clip, marked} of each field.
 * @param {{ parameters: any[], values: any, problems: any, place: string, context: any, first?: any[], more?: any[], offersOf?: (parameter: any) => any[] }} form
 */
export function formOf({ parameters, values, problems, place, context, first = [], more = [], offersOf = () => [] }) {
  const field = (parameter) => keyed(parameter.name, html`<param-field .store=${context.store} .parameter=${parameter} .value=${values[parameter.name]}
    .problems=${problems[parameter.name] ?? NONE} .place=${place} .time=${context.time} .frame=${context.frame} .clip=${context.clip} .marked=${context.marked}
    .offers=${offersOf(parameter)} .lack=${lackOf(parameter, parameters, values)}></param-field>`);
  const inGroup = (group) => parameters.filter((parameter) => parameter.group === group);
  const basics = inGroup("basics");
  return html`${first}${basics.map(field)}${FOLDED.map(([group, label]) => {
    const inside = inGroup(group);
    const others = group === "more" ? more : [];
    if (!inside.length && !others.length) return null;
    const isWrong = inside.some(({ name }) => problems[name]);
    const changes = inside.filter(({ name }) => name in values).length;
    return html`<details ?open=${isWrong || (!basics.length && group === "more")}><summary>${label} ${changes > 0 && html`<span class="badge">${changes} changed</span>`}</summary>
      <div class="fields">${others}${inside.map(field)}</div></details>`;
  })}`;
}

/**
 * Return the problems of parameters without a field in the form, as one text. `shown`: the parameters with a field; `declared`: all of the
 * operation; `problems`: {name: [{path, detail}]}.
 */
export function problemsBeside(shown, declared, problems) {
  const isShown = new Set(shown.map(({ name }) => name));
  return Object.entries(problems).filter(([name]) => !isShown.has(name)).flatMap(([name, own]) => {
    const parameter = declared.find((other) => other.name === name);
    return own.map((problem) => `${parameter?.label ?? name}: ${problemText(problem, parameter)}`);
  }).join("; ");
}

/** Return the required parameters that have no value. */
export function missingOf(parameters, values) {
  return parameters.filter(({ name, required }) => required && values[name] === undefined);
}

/** Return the frame on which the user clicks, as {frame, time}. They are the values of the parameters with the widgets `frame` (null if it has none) and `time`. */
export function markedFrame(parameters, values) {
  const valueOf = (kind) => values[parameters.find(({ widget }) => widget === kind)?.name];
  return { frame: Number.isInteger(valueOf("frame")) ? valueOf("frame") : null, time: Number(valueOf("time")) || 0 };
}

const NONE = [];
