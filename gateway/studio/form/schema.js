// Descriptions of an operation's parameters, read from its JSON Schema (as pydantic writes it) and the declaration's own fields.

import { words } from "../base/format.js";

const LOG_FROM = 50; // from this ratio of maximum to minimum on, sliders are logarithmic
const STEPS = 200;
const UNITS = { x: "×" };

const known = new WeakMap(); // schema -> its parameters

/**
 * Describe the parameters of a JSON Schema for the form, in order. Each is {name, label, help, group, role, sources, onlyWith, widget, labels, unit, required,
 * nullable, fallback, type, ...}. `sources`: fields of results to take over, [{operation, field}]. `onlyWith`: values of others that it needs. For previews: `pixels`: "clip" if the
 * number counts pixels of the clip; `isShare`: it is proportional to the length of the part; `onePer`: name of the parameter with the
 * seconds that each value of a list covers. type: switch|choice|choices|number|text|list|row|unknown. A list has `items` and plain `words`
 * that are accepted instead; a row has `cells`, each like a parameter, with its `key`.
 */
export function parametersOf(schema) {
  if (known.has(schema)) return known.get(schema);
  const required = new Set(schema.required ?? []);
  const parameters = Object.entries(schema.properties ?? {}).map(([name, given]) => ({
    name,
    group: given.group ?? "more",
    role: given.role ?? null,
    sources: (given.taken_from ?? []).map(sourceOf),
    required: required.has(name),
    pixels: given.pixels ?? "",
    isShare: given.share_of_part ?? false,
    onePer: given.one_per ?? "",
    onlyWith: given.only_with ?? {},
    ...valueOf(given, schema.$defs ?? {}, name),
  }));
  known.set(schema, parameters);
  return parameters;
}

/** Parse the name of a result's field. "media.reel.moments" -> {operation: "media.reel", field: "moments"} */
function sourceOf(text) {
  const end = text.lastIndexOf(".");
  return { operation: text.slice(0, end), field: text.slice(end + 1) };
}

/** Describe one value for the form: its texts and its allowed values. */
function valueOf(given, definitions, name = "") {
  const { schema, nullable } = plain(given, definitions);
  return {
    label: given.title ?? words(schema.title ?? name),
    help: given.description ?? schema.description ?? "",
    widget: given.widget ?? schema.widget ?? null,
    labels: given.labels ?? schema.labels ?? {},
    unit: unitOf(given.unit ?? schema.unit),
    nullable,
    fallback: given.default,
    initial: given.default ?? schema.examples?.[0],
    ...typeOf(schema, definitions, nullable),
  };
}

function unitOf(unit = "") {
  return UNITS[unit] ?? unit;
}

/** Resolve references in a schema, and remove its alternatives. Null becomes `nullable`, constants become `words`. */
function plain(given, definitions, nullable = false) {
  if (given.$ref) return plain({ ...definitions[given.$ref.split("/").at(-1)] }, definitions, nullable);
  const options = given.anyOf ?? given.oneOf ?? given.allOf;
  if (!options) return { schema: given, nullable };
  const accepted = options.filter((option) => option.const !== undefined).map((option) => option.const);
  const others = options.filter((option) => option.type !== "null" && option.const === undefined);
  const either = nullable || options.some((option) => option.type === "null");
  if (others.length !== 1) return { schema: accepted.length && !others.length ? { enum: accepted } : {}, nullable: either };
  const inner = plain(others[0], definitions, either);
  return accepted.length ? { ...inner, schema: { ...inner.schema, words: accepted } } : inner;
}

function typeOf(schema, definitions, nullable) {
  if (schema.words && schema.type !== "array") return { type: "unknown" };
  if (schema.enum ?? schema.const) return { type: "choice", options: schema.enum ?? [schema.const] };
  if (schema.type === "boolean") return nullable ? { type: "choice", options: [true, false], labels: { true: "On", false: "Off" } } : { type: "switch" };
  if (schema.type === "string") return { type: "text", long: schema.maxLength > 200, maxLength: schema.maxLength };
  if (schema.type === "number" || schema.type === "integer") return numberOf(schema);
  if (schema.type === "object" && schema.properties) return rowOf(schema, definitions);
  if (schema.type === "array" && schema.prefixItems) return tupleOf(schema, definitions);
  if (schema.type === "array" && schema.items) {
    const items = valueOf(schema.items, definitions);
    if (items.type === "choice") return { type: "choices", options: items.options };
    return { type: "list", items, least: schema.minItems ?? 0, most: schema.maxItems ?? Infinity, words: schema.words ?? [] };
  }
  return { type: "unknown" };
}

function rowOf(schema, definitions) {
  const required = new Set(schema.required ?? []);
  const cells = Object.entries(schema.properties).map(([key, given]) => ({ key, required: required.has(key), ...valueOf(given, definitions, key) }));
  return { type: "row", isTuple: false, cells };
}

function tupleOf(schema, definitions) {
  return { type: "row", isTuple: true, cells: schema.prefixItems.map((given, key) => ({ key, required: true, ...valueOf(given, definitions) })) };
}

function numberOf(schema) {
  const whole = schema.type === "integer";
  const min = schema.minimum ?? schema.exclusiveMinimum;
  const max = schema.maximum ?? schema.exclusiveMaximum;
  const bounded = min !== undefined && max !== undefined && max - min < 1e5;
  const step = schema.multipleOf ?? (whole ? 1 : bounded ? niceStep((max - min) / STEPS) : undefined);
  return { type: "number", whole, min, max, step, bounded, log: bounded && !whole && min > 0 && max / min >= LOG_FROM };
}

/** Round down to 1, 2 or 5 times a power of ten. Example: 0.079 -> 0.05. */
function niceStep(about) {
  const power = 10 ** Math.floor(Math.log10(about));
  const first = about / power;
  return Number(((first >= 5 ? 5 : first >= 2 ? 2 : 1) * power).toPrecision(1));
}

/** Return a sentence that says why a parameter may not be set. It is "" if the parameter may be set. */
export function lackOf(parameter, parameters, values) {
  for (const [name, needed] of Object.entries(parameter.onlyWith)) {
    const other = parameters.find((candidate) => candidate.name === name);
    if ((values[name] ?? other.fallback) !== needed) return `Only with ${other.label}: ${other.labels[String(needed)] ?? needed}.`;
  }
  return "";
}

/** Return the name of a parameter's control in the form; "" if none fits. */
export function controlOf(parameter) {
  const { type, widget } = parameter;
  if (["colour", "curve", "points", "box"].includes(widget)) return widget;
  return type === "unknown" || !isEditable(parameter) ? "" : type;
}

function isEditable({ type, items, cells }) {
  if (type === "list") return ["number", "text", "row"].includes(items.type) && isEditable(items);
  if (type === "row") return cells.every((cell) => (["list", "row"].includes(cell.type) ? isEditable(cell) : ["number", "choice", "switch", "text"].includes(cell.type)));
  return type !== "unknown";
}
