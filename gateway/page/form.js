// The form of an operation, drawn from its JSON Schema, and the choice of the operation.

import { byId, make, setMarked, show } from "./dom.js";
import { fieldOf } from "./fields.js";
import { words } from "./format.js";
import { parametersOf } from "./schema.js";

/** The form. `onSubmit({operation, params, inputs})` is called on Start, `onOperation(operation)` when another one is chosen. */
export class Form {
  #fields = [];
  #ports = [];
  #written = new Map(); // what was set per operation, so that looking at another one loses nothing
  #media = [];

  constructor({ onSubmit, onOperation }) {
    this.onOperation = onOperation;
    this.form = byId("form");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const filled = this.#read();
      if (filled) onSubmit({ operation: this.operation, ...filled });
    });
    byId("reset").addEventListener("click", () => {
      this.#written.delete(this.operation?.name);
      this.fill({});
    });
  }

  /** Show these operations; the ones that make a video come first. */
  offer(operations) {
    const rank = (operation) => (Object.values(operation.outputs).includes("video") ? 0 : 1);
    this.operations = [...operations].sort((one, other) => rank(one) - rank(other));
    this.#drawChoice();
    this.choose(this.operation?.name ?? this.operations[0]?.name);
  }

  /** Media that inputs besides the clip can be chosen from. */
  offerMedia(media) {
    this.#media = media;
    for (const port of this.#ports) fillPort(port, media);
  }

  /** Go to an operation, by name; one that is not there is ignored. */
  choose(name) {
    const operation = this.operations.find((one) => one.name === name);
    if (!operation) return;
    if (operation.name !== this.operation?.name) this.#keep();
    this.operation = operation;
    for (const radio of byId("operations").querySelectorAll("input")) radio.checked = radio.value === name;
    setMarked(byId("operation-summary"), `${operation.summary}.`);
    show(byId("unavailable"), !operation.available);
    setMarked(
      byId("unavailable"),
      operation.available ? "" : `It cannot run yet. To install what is missing: \`${operation.install}\``,
    );
    this.#drawFields();
    this.fill(this.#written.get(name) ?? {});
    this.onOperation(operation);
  }

  /** Set the parameters; those not given take their defaults. */
  fill(params) {
    this.clearErrors();
    for (const field of this.#fields) field.write(params[field.parameter.name] ?? field.parameter.fallback);
    const json = this.#fields.filter((field) => field.parameter.type === "json");
    const advanced = byId("fields").querySelector("details");
    if (advanced && json.some((field) => params[field.parameter.name])) advanced.open = true;
  }

  /** Mark what the server found wrong. `problem.errors`: [{field: "params.min_speed", detail}]. */
  refuse(problem) {
    this.clearErrors();
    const general = [];
    const marked = new Map(); // field -> what is wrong with it
    let first = null;
    for (const { field: path, detail } of problem.errors ?? []) {
      const [where, name, ...deeper] = path.split(".");
      const field = where === "params" && this.#fields.find((one) => one.parameter.name === name);
      const said = deeper.length ? `At ${deeper.join(".")}: ${detail}` : detail;
      if (field) marked.set(field, [...(marked.get(field) ?? []), said]);
      else general.push(where === "params" ? detail : `${path}: ${detail}`);
      first ??= field || null;
    }
    for (const [field, said] of marked) field.fail(said.join("; "));
    if (!problem.errors?.length) general.push(problem.message);
    show(byId("form-error"), general.length > 0, general.join(" "));
    if (first) {
      const folded = first.element.closest("details");
      if (folded) folded.open = true;
      first.focus();
    }
  }

  clearErrors() {
    show(byId("form-error"), false, "");
    for (const field of this.#fields) field.fail(null);
  }

  #read() {
    this.clearErrors();
    const params = {};
    for (const field of this.#fields) {
      const { name, fallback } = field.parameter;
      try {
        const value = field.read();
        if (value !== undefined && JSON.stringify(value) !== JSON.stringify(fallback)) params[name] = value;
      } catch {
        this.refuse({ errors: [{ field: `params.${name}`, detail: "This is not JSON." }] });
        return null;
      }
    }
    const inputs = {};
    for (const { name, many, select } of this.#ports) if (select.value) inputs[name] = many ? [select.value] : select.value;
    return { params, inputs };
  }

  #keep() {
    if (!this.operation) return;
    const values = {};
    for (const field of this.#fields) {
      try {
        values[field.parameter.name] = field.read();
      } catch {
        continue; // half-typed JSON is not worth keeping
      }
    }
    this.#written.set(this.operation.name, values);
  }

  #drawChoice() {
    const services = [...new Set(this.operations.map((operation) => operation.service))];
    const groups = services.map((service) => {
      const own = this.operations.filter((operation) => operation.service === service);
      const radios = own.map((operation) => {
        const radio = make("input", { type: "radio", name: "operation", value: operation.name });
        radio.addEventListener("change", () => this.choose(operation.name));
        return make("label", { title: operation.summary }, radio, make("span", {}, words(operation.name.split(".")[1])));
      });
      return make("fieldset", {}, make("legend", {}, words(service)), make("div", { class: "segments" }, ...radios));
    });
    byId("operations").replaceChildren(...groups);
  }

  #drawFields() {
    const changed = () => this.clearErrors();
    this.#fields = parametersOf(this.operation.params).map((parameter) => fieldOf(parameter, changed));
    this.#ports = Object.entries(this.operation.inputs)
      .slice(1)
      .map(([name, port]) => portOf(name, port));
    for (const port of this.#ports) fillPort(port, this.#media);
    const isPlain = (field) => field.parameter.type !== "json";
    const folded = this.#fields.filter((field) => !isPlain(field)).map((field) => field.element);
    const parts = [...this.#ports.map((port) => port.element), ...this.#fields.filter(isPlain).map((field) => field.element)];
    if (folded.length) parts.push(make("details", {}, make("summary", {}, "Advanced"), ...folded));
    byId("fields").replaceChildren(...parts);
  }
}

/** An input besides the first, which is the clip: chosen among the media there are. */
function portOf(name, { kind, optional, many }) {
  const select = make("select", { id: `input-${name}` });
  const label = make("label", { for: select.id }, `${words(name)} (${kind}${optional ? ", optional" : ""})`);
  return { name, kind, many, select, element: make("div", { class: "field" }, label, select) };
}

function fillPort({ kind, select }, media) {
  const before = select.value;
  const fitting = media.filter((record) => record.kind === kind);
  select.replaceChildren(
    make("option", { value: "" }, "None"),
    ...fitting.map((record) => make("option", { value: record.id }, record.name)),
  );
  if (fitting.some((record) => record.id === before)) select.value = before;
}
