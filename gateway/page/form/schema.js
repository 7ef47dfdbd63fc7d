// Descriptions of an operation's parameters, read from its JSON Schema (as pydantic writes it).

import { words } from "../base/format.js";

const LOG_FROM = 50; // from this ratio of maximum to minimum on, sliders are logarithmic
const STEPS = 200;

/** The parameters, in order: {name, label, help, type, required, nullable, fallback, ...};
    type: switch|choice|number|text|json. For json, `words` are plain words that are accepted instead of JSON. */
export function parametersOf(schema) {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).map(([name, given]) => {
    const { schema: own, nullable } = plain(given, schema.$defs ?? {});
    const help = given.description ?? own.description ?? "";
    const common = {
      name,
      label: words(given.title ?? name),
      help,
      nullable,
      required: required.has(name),
      fallback: given.default,
    };
    return { ...common, ...typeOf(own, name, help) };
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

function typeOf(schema, name, help) {
  if (schema.enum ?? schema.const) return { type: "choice", options: schema.enum ?? [schema.const] };
  if (schema.type === "boolean") return { type: "switch" };
  if (schema.type === "string") return { type: "text", long: schema.maxLength > 200, maxLength: schema.maxLength };
  if (schema.type === "number" || schema.type === "integer") return numberOf(schema, name, help);
  return { type: "json", words: schema.words ?? [] };
}

function numberOf(schema, name, help) {
  const whole = schema.type === "integer";
  const min = schema.minimum ?? schema.exclusiveMinimum;
  const max = schema.maximum ?? schema.exclusiveMaximum;
  const bounded = min !== undefined && max !== undefined;
  const step = schema.multipleOf ?? (whole ? 1 : bounded ? niceStep((max - min) / STEPS) : undefined);
  return {
    type: "number",
    whole,
    min,
    max,
    step,
    bounded,
    log: bounded && !whole && min > 0 && max / min >= LOG_FROM,
    unit: unitOf(name, help),
  };
}

/** Round down to 1, 2 or 5 times a power of ten: 0.079 -> 0.05. */
function niceStep(about) {
  const power = 10 ** Math.floor(Math.log10(about));
  const first = about / power;
  return Number(((first >= 5 ? 5 : first >= 2 ? 2 : 1) * power).toPrecision(1));
}

function unitOf(name, help) {
  if (name.endsWith("_s") || /^seconds\b/i.test(help)) return "s";
  if (/(^|_)speed$/.test(name)) return "×";
  if (/(^|_)percent$/.test(name)) return "%";
  return "";
}
