// Descriptions of an operation's parameters, read from its JSON Schema (as pydantic writes it) and the declaration's own fields.

import { words } from "../base/format.js";

const LOG_FROM = 50; // from this ratio of maximum to minimum on, sliders are logarithmic
const STEPS = 200;
const UNITS = { x: "×" };

/**
 * The parameters, in order: {name, label, help, group, type, widget, required, nullable, fallback, labels, ...}.
 * type: switch|choice|choices|number|text|json. For json, `words` are plain words that are accepted instead of JSON.
 */
export function parametersOf(schema) {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).map(([name, given]) => {
    const { schema: own, nullable } = plain(given, schema.$defs ?? {});
    return {
      name,
      label: words(given.title ?? name),
      help: given.description ?? own.description ?? "",
      group: given.group ?? "more",
      widget: given.widget ?? null,
      labels: given.labels ?? {},
      unit: UNITS[given.unit] ?? given.unit ?? "",
      nullable,
      required: required.has(name),
      fallback: given.default,
      ...typeOf(own, schema.$defs ?? {}),
    };
  });
}

/** Resolve references and remove "or null" from a schema. */
function plain(given, definitions, nullable = false) {
  if (given.$ref) return plain({ ...definitions[given.$ref.split("/").at(-1)] }, definitions, nullable);
  const options = given.anyOf ?? given.oneOf ?? given.allOf;
  if (!options) return { schema: given, nullable };
  const others = options.filter((option) => option.type !== "null");
  const either = nullable || others.length < options.length;
  if (others.length === 1) return plain(others[0], definitions, either);
  return { schema: { words: others.map((option) => option.const).filter((word) => word !== undefined) }, nullable: either };
}

function typeOf(schema, definitions) {
  if (schema.enum ?? schema.const) return { type: "choice", options: schema.enum ?? [schema.const] };
  if (schema.type === "boolean") return { type: "switch" };
  if (schema.type === "string") return { type: "text", long: schema.maxLength > 200, maxLength: schema.maxLength };
  if (schema.type === "number" || schema.type === "integer") return numberOf(schema);
  if (schema.type === "array") {
    const items = plain(schema.items ?? {}, definitions).schema;
    if (items.enum) return { type: "choices", options: items.enum };
  }
  return { type: "json", words: schema.words ?? [] };
}

function numberOf(schema) {
  const whole = schema.type === "integer";
  const min = schema.minimum ?? schema.exclusiveMinimum;
  const max = schema.maximum ?? schema.exclusiveMaximum;
  const bounded = min !== undefined && max !== undefined && max - min < 1e5;
  const step = schema.multipleOf ?? (whole ? 1 : bounded ? niceStep((max - min) / STEPS) : undefined);
  return { type: "number", whole, min, max, step, bounded, log: bounded && !whole && min > 0 && max / min >= LOG_FROM };
}

/** Round down to 1, 2 or 5 times a power of ten: 0.079 -> 0.05. */
function niceStep(about) {
  const power = 10 ** Math.floor(Math.log10(about));
  const first = about / power;
  return Number(((first >= 5 ? 5 : first >= 2 ? 2 : 1) * power).toPrecision(1));
}
