// The steps of a pipeline's preview: the same steps on small parts of their clips. The role of a parameter is in its declaration.

import { inputOf, paramOf, valueOfRole } from "../base/declared.js";
import { parametersOf } from "../form/schema.js";
import { evenTimes } from "../viewer/frame_times.js";
import { stepsOnClips } from "./origins.js";
import { lostTimes, shifted } from "./shifted.js";

const SECONDS = 3;
const MOST_PIXELS = 640; // longest side of a preview's clips, in pixels
const CUT_ID = "small_part";
const CUT_ROLES = ["part_start", "part_length", "longest_side"]; // roles of parameters; an operation that has all of them can cut clips

/**
 * Return a copy of steps that works on a small part of each clip. All clips have the same part. `media`: id -> record; `operations`: the declared
 * ones; `framesOf(record)`: the FrameTimes of a clip. Throws an Error for a user if a step has times that cannot be found in the preview.
 */
export function previewSteps(steps, media, operations, framesOf = ({ media: facts }) => evenTimes(facts)) {
  const cutter = operations.find((operation) => CUT_ROLES.every((role) => paramOf(operation, "role", role)));
  const start = startOf(steps, media, operations, framesOf);
  const cuts = new Map(); // id of a clip -> step that cuts it
  const clocks = new Map(); // output of a step -> its clock
  const cutOf = (value) => {
    const record = media.get(value);
    if (record?.kind !== "video") return value;
    const [output] = Object.keys(cutter.outputs);
    if (!cuts.has(value)) {
      const id = cuts.size ? `${CUT_ID}_${cuts.size + 1}` : CUT_ID;
      const clock = clockOfPart(record, start, framesOf);
      const params = [clock.shift, SECONDS, MOST_PIXELS].map((number, place) => [paramOf(cutter, "role", CUT_ROLES[place]), number]);
      cuts.set(value, { id, operation: cutter.name, inputs: { [inputOf(cutter)]: value }, params: Object.fromEntries(params) });
      clocks.set(`${id}.${output}`, clock);
    }
    return `${cuts.get(value).id}.${output}`;
  };
  const small = steps.map((step, index) => {
    const operation = operations.find(({ name }) => name === step.operation);
    const inputs = Object.fromEntries(Object.entries(step.inputs).map(([name, value]) => [name, Array.isArray(value) ? value.map(cutOf) : cutOf(value)]));
    const clock = operation && clocks.get([inputs[inputOf(operation)]].flat()[0]);
    if (!clock) return { ...step, inputs };
    const [lost] = lostTimes(step.params, operation, clock);
    if (lost) throw new Error(lostText(lost, index, operation));
    const { params, clockOf } = shifted(step.params, operation, clock, operations);
    for (const name of Object.keys(operation.outputs)) clocks.set(`${step.id}.${name}`, clockOf(name));
    return { ...step, inputs, params };
  });
  return [...cuts.values(), ...small];
}

function lostText({ label }, index, { title, name }) {
  return `Step ${index + 1}, ${title ?? name}, has a time of its own (${label}). It counts in what the earlier steps make of the whole clip, and the preview has only a part of it. Reset this setting to see a preview, or press Make it.`;
}

/**
 * Describe a clip's part for converting times, frames and sizes. `shift`: start of the part in seconds; `seconds`: its length; `length`: of
 * the whole clip; `frame`: number of the part's first frame; `rate`: frames per second; `size`: of the clip in pixels; `scale`: of the part.
 */
function clockOfPart({ media, ...record }, start, framesOf) {
  const { width, height, duration_s: length = 0 } = media;
  const frames = framesOf({ media, ...record });
  const frame = start > length - 0.5 ? 0 : frames.numberAt(start); // a shorter clip, such as a moving background, is used from its start on
  const shift = Math.max(0, Math.floor(frames.times[frame] * 1e6) / 1e6); // rounded up, it would leave the frame out
  const scale = Math.min(1, MOST_PIXELS / Math.max(width, height));
  return { shift, seconds: Math.min(SECONDS, length - shift), length, frame, rate: frames.count / length, size: [width, height], scale };
}

/** Return the second at which the preview begins. It shows the moment that a step marks, else the middle of the part that the first step uses. */
function startOf(steps, media, operations, framesOf) {
  const users = stepsOnClips(steps, media, operations, framesOf);
  if (!users.length) return 0;
  const [first] = users;
  const longest = Math.max(...users.map(({ record }) => record.media.duration_s));
  const numberOf = (role, missing) => {
    const value = valueOfRole(first.operation, first.params, role);
    return typeof value === "number" ? value : missing;
  };
  const from = Math.min(numberOf("part_start", 0), longest);
  const to = Math.min(from + numberOf("part_length", longest), longest);
  const [mark = (from + to) / 2] = users.flatMap((user) => markedTimes(user));
  const start = Math.max(from, Math.min(mark - SECONDS / 2, to - SECONDS));
  const grid = users.filter(({ isDirect }) => isDirect).map(gridOf).find(Boolean);
  return grid ? from + Math.floor((start - from) / grid + 1e-6) * grid : start;
}

/** Return the moments of a clip, in seconds, that a step's params mark. Clicks and boxes without a time mark the start, a later step's part its middle. */
function markedTimes({ operation, params, back, frameTime, isDirect }) {
  const own = parametersOf(operation.params).filter(({ role }) => role !== "part_start");
  const valuesOf = (kind) => own.filter(({ widget }) => widget === kind).map(({ name }) => params[name]).filter(Number.isFinite);
  const marked = [...valuesOf("frame").map((number) => frameTime(number)), ...valuesOf("time")];
  const hasMarks = own.some(({ widget, name }) => ["points", "box"].includes(widget) && params[name]?.length);
  if (hasMarks && !marked.length) marked.push(0);
  const [start, length] = ["part_start", "part_length"].map((role) => valueOfRole(operation, params, role));
  if (!isDirect && !marked.length && (start || length)) marked.push((Number(start) || 0) + (Number(length) || SECONDS) / 2);
  return marked.map((time) => back(time));
}

/** Return how many seconds each value of a list parameter covers. Undefined if the params have no such list. */
function gridOf({ operation, params }) {
  const list = parametersOf(operation.params).find(({ onePer, name }) => onePer && params[name]);
  return list && (params[list.onePer] ?? operation.params.properties[list.onePer].default);
}
