// The choice of an operation, and the form of its parameters, built from its JSON Schema.

import { byId, make, setMarked, show } from "../base/dom.js";
import { words } from "../base/format.js";
import { fieldOf } from "./fields.js";
import { fillPort, portOf } from "./ports.js";
import { parametersOf } from "./schema.js";

/** The form. Calls `onSubmit({operation, params, inputs})` on Start and `onOperation(operation)` when an operation is chosen. */
export class Form {
  #fields = [];
  #ports = [];
  #portsElement = make("div", { class: "ports" });
  #values = new Map(); // operation name -> entered values, kept while another operation is shown
  #media = [];
  #clip = null;

  constructor({ onSubmit, onOperation }) {
    this.onOperation = onOperation;
    this.form = byId("form");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const filled = this.#read();
      if (filled) onSubmit({ operation: this.operation, ...filled });
    });
    byId("reset").addEventListener("click", () => {
      this.#values.delete(this.operation?.name);
      this.fill({});
    });
  }

  /** Show these operations. Those with a video as output come first. */
  offer(operations) {
    const rank = (operation) => (Object.values(operation.outputs).includes("video") ? 0 : 1);
    this.operations = [...operations].sort((a, b) => rank(a) - rank(b));
    this.#drawChoice();
    this.choose(this.operation?.name ?? this.operations[0]?.name);
  }

  /** Set the media to choose from for inputs other than the clip. */
  offerMedia(media) {
    this.#media = media;
    for (const port of this.#ports) fillPort(port, media, this.#clip);
  }

  /** Set the clip that jobs work on. */
  setClip(record) {
    const before = this.clipPort;
    this.#clip = record;
    if (this.operation && this.clipPort !== before) this.#drawPorts();
    for (const port of this.#ports) fillPort(port, this.#media, record);
  }

  /** The name of the input that accepts the clip; null if none accepts its kind. */
  get clipPort() {
    const ports = Object.entries(this.operation?.inputs ?? {});
    const fitting = ports.find(([, port]) => port.kinds.includes(this.#clip?.kind));
    return fitting?.[0] ?? null;
  }

  /** Show the operation of this name. An unknown name is ignored. */
  choose(name) {
    const operation = this.operations.find((operation) => operation.name === name);
    if (!operation) return;
    if (operation.name !== this.operation?.name) this.#keep();
    this.operation = operation;
    for (const radio of byId("operations").querySelectorAll("input")) radio.checked = radio.value === name;
    setMarked(byId("operation-summary"), `${operation.summary}.`);
    show(byId("unavailable"), !operation.available);
    setMarked(
      byId("unavailable"),
      operation.available ? "" : `This operation needs a model. To install it, run: \`${operation.install}\``,
    );
    this.#drawFields();
    this.fill(this.#values.get(name) ?? {});
    this.onOperation(operation);
  }

  /** Set the parameters. Missing ones take their defaults. */
  fill(params) {
    this.clearErrors();
    for (const field of this.#fields) field.write(params[field.parameter.name] ?? field.parameter.fallback);
    const json = this.#fields.filter((field) => field.parameter.type === "json");
    const advanced = byId("fields").querySelector("details");
    if (advanced && json.some((field) => params[field.parameter.name])) advanced.open = true;
  }

  /** Show a problem at the fields it names. `problem.errors`: [{field: "params.min_speed", detail}]. */
  refuse(problem) {
    this.clearErrors();
    const general = [];
    const marked = new Map(); // field -> texts of its errors
    let first = null;
    for (const { field: path, detail } of problem.errors ?? []) {
      const [where, name, ...deeper] = path.split(".");
      const field = where === "params" && this.#fields.find((candidate) => candidate.parameter.name === name);
      const text = deeper.length ? `At ${deeper.join(".")}: ${detail}` : detail;
      if (field) marked.set(field, [...(marked.get(field) ?? []), text]);
      else general.push(where === "params" ? detail : `${path}: ${detail}`);
      first ??= field || null;
    }
    for (const [field, texts] of marked) field.fail(texts.join("; "));
    if (!problem.errors?.length) general.push(problem.message);
    show(byId("form-error"), general.length > 0, general.join(" "));
    if (first) {
      const section = first.element.closest("details");
      if (section) section.open = true;
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
        this.refuse({ errors: [{ field: `params.${name}`, detail: "Not valid JSON." }] });
        return null;
      }
    }
    return { params, inputs: this.#readInputs() };
  }

  #readInputs() {
    const inputs = {};
    for (const { name, many, read } of this.#ports) {
      const more = read();
      const ids = name === this.clipPort ? [this.#clip.id, ...more] : more;
      if (ids.length) inputs[name] = many ? ids : ids[0];
    }
    if (this.clipPort) inputs[this.clipPort] ??= this.#clip.id;
    return inputs;
  }

  #keep() {
    if (!this.operation) return;
    const values = {};
    for (const field of this.#fields) {
      try {
        values[field.parameter.name] = field.read();
      } catch {
        continue; // incomplete JSON is dropped
      }
    }
    this.#values.set(this.operation.name, values);
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
    this.#drawPorts();
    const isPlain = (field) => field.parameter.type !== "json";
    const folded = this.#fields.filter((field) => !isPlain(field)).map((field) => field.element);
    const parts = [this.#portsElement, ...this.#fields.filter(isPlain).map((field) => field.element)];
    if (folded.length) parts.push(make("details", {}, make("summary", {}, "Advanced"), ...folded));
    byId("fields").replaceChildren(...parts);
  }

  /** Draw controls for the other inputs, and for more media of an input that takes several. */
  #drawPorts() {
    this.#ports = Object.entries(this.operation.inputs)
      .filter(([name, port]) => name !== this.clipPort || port.many)
      .map(([name, port]) => portOf(name, port, name === this.clipPort));
    for (const port of this.#ports) fillPort(port, this.#media, this.#clip);
    this.#portsElement.replaceChildren(...this.#ports.map((port) => port.element));
  }
}
