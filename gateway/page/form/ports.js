// Controls for the media inputs of an operation.

import { make } from "../base/dom.js";
import { words } from "../base/format.js";

/**
 * The control of an input. `hasClip`: the chosen clip already is one of its media.
 * Returns {name, kinds, many, element, read(), offer(records)}; `read()` returns the chosen ids.
 */
export function portOf(name, port, hasClip) {
  return port.many ? manyOf(name, port, hasClip) : oneOf(name, port);
}

/** Offer the media of a fitting kind, without the clip. */
export function fillPort(port, media, clip) {
  port.offer(media.filter((record) => port.kinds.includes(record.kind) && record.id !== clip?.id));
}

/** A drop-down list for one medium. */
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

/** Checkboxes for several media. */
function manyOf(name, { kinds, many }, hasClip) {
  const list = make("ul", { class: "checks" });
  const boxes = () => [...list.querySelectorAll("input")];
  const read = () => boxes().filter((box) => box.checked).map((box) => box.value);
  const title = hasClip ? "More clips besides this one" : words(name);
  const summary = make("summary", {}, `${title} (${kinds.join(" or ")})`);
  const offer = (fitting) => {
    const checked = new Set(read());
    const shown = boxes().map((box) => box.value);
    if (shown.join() === fitting.map((record) => record.id).join()) return; // rebuilding the list would lose the focus
    list.replaceChildren(
      ...fitting.map((record) => {
        const box = make("input", { type: "checkbox", value: record.id, checked: checked.has(record.id) });
        return make("li", {}, make("label", { class: "check" }, box, ` ${record.name}`));
      }),
    );
  };
  return { name, kinds, many, offer, read, element: make("details", { class: "field" }, summary, list) };
}
