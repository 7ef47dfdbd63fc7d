// A pipeline in the editor: steps whose inputs are slots ("<video>"), media, outputs of earlier steps ("matte.alpha"), or "auto".

import { inputOf } from "../base/declared.js";
import { words } from "../base/format.js";
import { sorted } from "../form/problems.js";
import { parametersOf } from "../form/schema.js";

const NO_OFFERS = [];

/** Make a new step of an operation. Its inputs take fitting outputs of the last step, or else "auto" or slots; required parameters take fitting results. */
export function newStep(operation, steps, operations) {
  const id = freeId(operation, steps);
  const inputs = {};
  for (const [name, port] of Object.entries(operation.inputs)) {
    const choice = choicesOf(port, steps, steps.length, operations, {})
      .filter(({ kind }) => kind === "output")
      .find(({ isLast }) => isLast ?? true);
    if (port.optional && !operation.needs.includes(name)) continue;
    inputs[name] = choice?.value ?? (port.auto ? "auto" : slotName(name));
  }
  const params = {};
  for (const parameter of parametersOf(operation.params).filter(({ required }) => required)) {
    const offer = offersOf(parameter, steps, steps.length, {}).at(-1);
    if (offer) params[parameter.name] = offer.value;
  }
  return { id, operation: operation.name, inputs, params };
}

function freeId(operation, steps) {
  const stem = operation.name.split(".")[1].replaceAll("-", "_").slice(0, 24);
  const taken = new Set(steps.map(({ id }) => id));
  if (!taken.has(stem)) return stem;
  let number = 2;
  while (taken.has(`${stem}_${number}`)) number += 1;
  return `${stem}_${number}`;
}

export function slotName(name) {
  return `<${name}>`;
}

/**
 * Return the possible sources of an input of step `index`. They are outputs of earlier steps or "auto": {value, label, kind: output|auto}. `titles`: step
 * id -> words.
 */
export function choicesOf(port, steps, index, operations, titles) {
  const choices = [];
  steps.slice(0, index).forEach((step, place) => {
    const operation = operations.find(({ name }) => name === step.operation);
    for (const [output, kind] of Object.entries(operation?.outputs ?? {})) {
      if (!port.kinds.includes(kind)) continue;
      choices.push({ value: `${step.id}.${output}`, label: `${output} of ${titles[step.id] ?? step.id}`, kind: "output", isLast: place === index - 1 });
    }
  });
  if (port.auto) choices.push({ value: "auto", label: "make it automatically", kind: "auto" });
  return choices.reverse();
}

/** Return the slots that the steps use: name -> kinds of media. */
export function slotsOf(steps, operations) {
  const slots = {};
  for (const step of steps) {
    const operation = operations.find(({ name }) => name === step.operation);
    for (const [name, value] of Object.entries(step.inputs)) {
      for (const single of [value].flat()) {
        const slot = /^<(\w+)>$/.exec(single ?? "")?.[1];
        if (slot) slots[slot] = operation?.inputs[name]?.kinds ?? [];
      }
    }
  }
  return slots;
}

/** Return the slot of the pipeline's clip: the first that takes a video. It is undefined without one. */
export function clipSlot(steps, operations) {
  return Object.entries(slotsOf(steps, operations)).find(([, kinds]) => kinds.includes("video"))?.[0];
}

/** Fill the slots of steps with media: {steps, missing}. `missing`: names of the slots without a medium. */
export function filled(steps, media) {
  const missing = new Set();
  const put = (value) => {
    const slot = /^<(\w+)>$/.exec(value ?? "")?.[1];
    if (!slot) return value;
    if (!media[slot]) missing.add(slot);
    return media[slot];
  };
  const made = steps.map((step) => ({
    id: step.id,
    operation: step.operation,
    inputs: Object.fromEntries(Object.entries(step.inputs).filter(([, value]) => value).map(([name, value]) => [name, Array.isArray(value) ? value.map(put) : put(value)])),
    params: step.params,
  }));
  return { steps: made, missing: [...missing] };
}

/** Remove a step, and all inputs that other steps took from it. */
export function without(steps, index) {
  const { id } = steps[index];
  const uses = (value) => [value].flat().some((single) => String(single).startsWith(`${id}.`));
  return steps
    .filter((_, other) => other !== index)
    .map((step) => ({ ...step, inputs: Object.fromEntries(Object.entries(step.inputs).map(([name, value]) => [name, uses(value) ? null : value])) }));
}

/** Sort the problems of a refusal by step id. Example: {"matte": {params, inputs, general}}; problems without a step are under "". */
export function refusals(problem, steps) {
  const errors = {};
  for (const { field = "", detail } of problem.errors ?? []) {
    const [, place, ...rest] = field.split(".");
    const step = steps.find(({ id }, index) => id === place || String(index) === place)?.id ?? "";
    (errors[step] ??= []).push({ field: rest.join("."), detail });
  }
  if (!problem.errors?.length) errors[""] = [{ field: "", detail: problem.message }];
  return Object.fromEntries(Object.entries(errors).map(([step, own]) => [step, sorted({ errors: own })]));
}

/** Return the id of the clip that a step works on. It is null if an earlier step makes the clip, or none is chosen yet. */
export function clipIdOf(step, operation, media) {
  const value = [step.inputs[inputOf(operation)] ?? ""].flat()[0] ?? "";
  const slot = /^<(\w+)>$/.exec(value)?.[1];
  if (slot) return media[slot] ?? null;
  return value && !value.includes(".") && value !== "auto" ? value : null;
}

/** Return references to earlier steps' results that a parameter takes: [{label, value: {from}}]. `titles`: step id -> words. */
export function offersOf({ sources }, steps, index, titles) {
  if (!sources.length) return NO_OFFERS;
  return steps.slice(0, index).flatMap((step) => sources
    .filter(({ operation }) => operation === step.operation)
    .map(({ field }) => ({ label: `${words(field)} of ${titles[step.id] ?? step.id}`, value: { from: `${step.id}.${field}` } })));
}

/** Return whether two lists of steps are equal. Empty inputs and the order of names do not count. */
export function sameSteps(first, second) {
  const inOrder = (values) => Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = (steps) => JSON.stringify(steps.map(({ id, operation, inputs = {}, params = {} }) => [id, operation, inOrder(inputs).filter(([, value]) => value), inOrder(params)]));
  return text(first) === text(second);
}

/** Sort named pipelines: first the pipelines that can run. */
export function availableFirst(pipelines) {
  return [...pipelines].sort((a, b) => Number(b.available) - Number(a.available));
}

/** Convert steps to the editor's form. Missing fields are added, and other fields are dropped. */
export function plainSteps(steps) {
  return steps.map(({ id, operation, inputs = {}, params = {} }) => ({ id, operation, inputs: { ...inputs }, params: { ...params } }));
}
