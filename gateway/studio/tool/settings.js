// The settings of a tool: its inputs and params.

import { changedParams } from "../base/declared.js";

/** Return whether an address fills in the settings or an input of its tool. */
export function isFilling({ from, preset, give }) {
  return Boolean(from || preset || give);
}

/** Return the values whose names are in `known`. */
export function knownOf(values, known = {}) {
  return Object.fromEntries(Object.entries(values ?? {}).filter(([name]) => name in known));
}

/** Return the settings of a job that differ from the defaults: {params, inputs}. Its clip is left out. */
export function settingsOf(job, operation, clipInput) {
  const defaults = operation.params.properties ?? {};
  const isSet = ([name, value]) => name in defaults && JSON.stringify(value) !== JSON.stringify(defaults[name].default);
  const { [clipInput]: _clip, ...others } = job.inputs;
  return {
    params: Object.fromEntries(Object.entries(job.params).filter(isSet)),
    inputs: Object.fromEntries(Object.entries(knownOf(others, operation.inputs)).filter(([, value]) => value)),
  };
}

/** Return all inputs of a request. `clip`: the id of the tool's clip, for the input `clipInput`. */
export function requestInputs(operation, inputs, clipInput, clip) {
  const given = Object.fromEntries(Object.entries(inputs).filter(([, value]) => value && (!Array.isArray(value) || value.length)));
  if (!clipInput) return given;
  const { [clipInput]: chosen, ...others } = given;
  const more = operation.inputs[clipInput].many ? [chosen ?? []].flat() : [];
  return { [clipInput]: more.length ? [clip, ...more] : clip, ...others };
}

/**
 * Set or clear an input; return the new settings: {inputs, params, brought}. `brought`: input name -> the params that came with it, such as the
 * start of the part that a mask begins. Another input removes these params, unless they were changed since.
 */
export function withInput(operation, { inputs, params, brought }, name, value, own = {}) {
  const before = Object.entries(brought[name] ?? {}).filter(([other, set]) => params[other] === set);
  const changes = { ...Object.fromEntries(before.map(([other]) => [other, undefined])), ...own };
  return { inputs: { ...inputs, [name]: value }, params: changedParams(operation, params, changes), brought: { ...brought, [name]: own } };
}
