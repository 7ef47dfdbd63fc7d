// The form of an operation, drawn from its JSON Schema, and the choice of the operation.

import { byId, make, setMarked, show } from "./dom.js";
import { fieldOf } from "./fields.js";
import { words } from "./format.js";
import { parametersOf } from "./schema.js";

/** The form. `onSubmit({operation, params, inputs})` is called on Start, `onOperation(operation)` when another one is chosen. */
export class Form {
  #fields = [];
  #ports = [];
  #portsElement = make("div", { class: "ports" });
  #written = new Map(); // what was set per operation, so that looking at another one loses nothing
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
    for (const port of this.#ports) fillPort(port, media, this.#clip);
  }

  /** The clip that jobs work on. */
  setClip(record) {
    const before = this.clipPort;
    this.#clip = record;
    if (this.operation && this.clipPort !== before) this.#drawPorts();
    for (const port of this.#ports) fillPort(port, this.#media, record);
  }

  /** The name of the input that takes the clip; null where none takes its kind. */
  get clipPort() {
    const ports = Object.entries(this.operation?.inputs ?? {});
    const fitting = ports.find(([, port]) => port.kinds.includes(this.#clip?.kind));
    return fitting?.[0] ?? null;
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
      operation.available ? "" : `With its defaults it cannot run yet. To install what is missing: \`${operation.install}\``,
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
    this.#drawPorts();
    const isPlain = (field) => field.parameter.type !== "json";
    const folded = this.#fields.filter((field) => !isPlain(field)).map((field) => field.element);
    const parts = [this.#portsElement, ...this.#fields.filter(isPlain).map((field) => field.element)];
    if (folded.length) parts.push(make("details", {}, make("summary", {}, "Advanced"), ...folded));
    byId("fields").replaceChildren(...parts);
  }

  /** Controls for the inputs that the clip does not fill, and for more of what it is one of. */
  #drawPorts() {
    this.#ports = Object.entries(this.operation.inputs)
      .filter(([name, port]) => name !== this.clipPort || port.many)
      .map(([name, port]) => (port.many ? manyOf(name, port, name === this.clipPort) : oneOf(name, port)));
    for (const port of this.#ports) fillPort(port, this.#media, this.#clip);
    this.#portsElement.replaceChildren(...this.#ports.map((port) => port.element));
  }
}

/** An input that takes one medium, chosen among those there are. */
function oneOf(name, { kinds, optional, many }) {
  const select = make("select", { id: `input-${name}` });
  const label = make("label", { for: select.id }, `${words(name)} (${kinds.join(" or ")}${optional ? ", optional" : ""})`);
  const offer = (fitting) => {
    const before = select.value;
    select.replaceChildren(
      make("option", { value: "" }, "None"),
      ...fitting.map((record) => make("option", { value: record.id }, record.name)),
    );
    if (fitting.some((record) => record.id === before)) select.value = before;
  };
  const read = () => (select.value ? [select.value] : []);
  return { name, kinds, many, offer, read, element: make("div", { class: "field" }, label, select) };
}

/** An input that takes many; `besides`: the clip is one of them already. */
function manyOf(name, { kinds, many }, besides) {
  const list = make("ul", { class: "checks" });
  const boxes = () => [...list.querySelectorAll("input")];
  const read = () => boxes().filter((box) => box.checked).map((box) => box.value);
  const summary = make("summary", {}, besides ? `More than this clip (${kinds.join(" or ")})` : `${words(name)} (${kinds.join(" or ")})`);
  const offer = (fitting) => {
    const checked = new Set(read());
    const shown = boxes().map((box) => box.value);
    if (shown.join() === fitting.map((record) => record.id).join()) return; // or the focus would be lost
    list.replaceChildren(
      ...fitting.map((record) => {
        const box = make("input", { type: "checkbox", value: record.id, checked: checked.has(record.id) });
        return make("li", {}, make("label", { class: "check" }, box, ` ${record.name}`));
      }),
    );
  };
  return { name, kinds, many, offer, read, element: make("details", { class: "field" }, summary, list) };
}

function fillPort(port, media, clip) {
  port.offer(media.filter((record) => port.kinds.includes(record.kind) && record.id !== clip?.id));
}
