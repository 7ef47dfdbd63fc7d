// Form controls, one for each type of parameter: {input, parts, read(), write(value)}.
// read() returns undefined to leave the parameter out.

import { chosen, make, setMarked } from "../base/dom.js";
import { short, words } from "../base/format.js";

const MOST_SEGMENTS = 4;
const SLIDER_STEPS = 400;

/** The control of a parameter with its label, help and error text. Calls `changed()` when the value changes. */
export function fieldOf(parameter, changed) {
  const id = `field-${parameter.name}`;
  const help = make("p", { class: "help", id: `${id}-help` });
  setMarked(help, parameter.help);
  const error = make("p", { class: "error", id: `${id}-error`, hidden: true });
  const control = CONTROLS[parameter.type](parameter, id, changed);
  control.input.setAttribute("aria-describedby", `${id}-help ${id}-error`);
  const element = make(control.grouped ? "fieldset" : "div", { class: `field ${parameter.type}` });
  const label = control.grouped ? make("legend", {}, parameter.label) : make("label", { for: id }, parameter.label);
  element.append(label, ...control.parts, help, error);
  const fail = (text) => {
    error.textContent = text ?? "";
    error.hidden = !text;
    element.classList.toggle("wrong", Boolean(text));
    control.input.setAttribute("aria-invalid", String(Boolean(text)));
  };
  return { parameter, element, fail, focus: () => control.input.focus(), read: control.read, write: control.write };
}

const CONTROLS = { switch: makeSwitch, choice: makeChoice, number: makeNumber, text: makeText, json: makeJson };

function makeSwitch(parameter, id, changed) {
  const input = make("input", { type: "checkbox", id, class: "switch" });
  input.addEventListener("change", changed);
  return { input, parts: [input], read: () => input.checked, write: (value) => (input.checked = Boolean(value)) };
}

function makeChoice(parameter, id, changed) {
  const options = parameter.nullable ? [null, ...parameter.options] : parameter.options;
  return options.length <= MOST_SEGMENTS ? makeSegments(options, id, changed) : makeSelect(options, id, changed);
}

function makeSegments(options, id, changed) {
  const radios = options.map((option, index) => make("input", { type: "radio", name: id, value: String(index) }));
  const group = make("div", { class: "segments", role: "radiogroup" });
  options.forEach((option, index) => group.append(make("label", {}, radios[index], make("span", {}, optionText(option)))));
  group.addEventListener("change", changed);
  const write = (value) => radios.forEach((radio, index) => (radio.checked = options[index] === (value ?? null)));
  group.focus = () => (group.querySelector("input:checked") ?? radios[0]).focus();
  return { input: group, parts: [group], grouped: true, read: () => options[Number(chosen(group))], write };
}

function makeSelect(options, id, changed) {
  const input = make(
    "select",
    { id },
    ...options.map((option, index) => make("option", { value: String(index) }, optionText(option))),
  );
  input.addEventListener("change", changed);
  const write = (value) => (input.value = String(Math.max(0, options.indexOf(value ?? null))));
  return { input, parts: [input], read: () => options[Number(input.value)], write };
}

function optionText(option) {
  return option === null ? "Automatic" : words(String(option));
}

function makeNumber(parameter, id, changed) {
  const { min, max, unit } = parameter;
  const input = make("input", { type: "number", id, min, max, step: parameter.whole ? 1 : "any", inputmode: "decimal" });
  if (parameter.nullable) input.placeholder = "auto";
  const parts = [make("span", { class: "amount" }, input, make("span", { class: "unit", "aria-hidden": "true" }, unit))];
  const read = () => (input.value === "" ? (parameter.nullable ? null : undefined) : Number(input.value));
  if (!parameter.bounded) {
    input.addEventListener("input", changed);
    return { input, parts, read, write: (value) => (input.value = value ?? "") };
  }
  const slider = make("input", { type: "range", "aria-label": parameter.label, ...sliderRange(parameter) });
  const follow = () => (slider.value = String(toSlider(parameter, read() ?? parameter.fallback ?? min)));
  slider.addEventListener("input", () => {
    input.value = fromSlider(parameter, Number(slider.value));
    changed();
  });
  input.addEventListener("input", () => {
    follow();
    changed();
  });
  const write = (value) => {
    input.value = value ?? "";
    follow();
  };
  return { input, parts: [...parts, slider], read, write };
}

function sliderRange({ log, min, max, step }) {
  return log ? { min: 0, max: SLIDER_STEPS, step: 1 } : { min, max, step };
}

function toSlider({ log, min, max }, value) {
  return log ? (Math.log(Math.min(Math.max(value, min), max) / min) / Math.log(max / min)) * SLIDER_STEPS : value;
}

function fromSlider({ log, min, max }, at) {
  if (!log) return String(at);
  return at === SLIDER_STEPS ? String(max) : short(min * (max / min) ** (at / SLIDER_STEPS), 2);
}

function makeText(parameter, id, changed) {
  const input = parameter.long ? make("textarea", { id, rows: 3 }) : make("input", { type: "text", id });
  if (parameter.maxLength) input.maxLength = parameter.maxLength;
  input.addEventListener("input", changed);
  const read = () => (input.value === "" && parameter.nullable ? null : input.value);
  return { input, parts: [input], read, write: (value) => (input.value = value ?? "") };
}

function makeJson(parameter, id, changed) {
  const { words: accepted } = parameter;
  const input = make("textarea", { id, rows: 3, spellcheck: "false", placeholder: ["JSON", ...accepted].join(" or ") });
  input.addEventListener("input", changed);
  const read = () => {
    const text = input.value.trim();
    if (text === "") return parameter.nullable ? null : undefined;
    return accepted.includes(text) ? text : JSON.parse(text);
  };
  const write = (value) => (input.value = accepted.includes(value) ? value : (value ?? null) === null ? "" : JSON.stringify(value));
  return { input, parts: [input], read, write };
}
