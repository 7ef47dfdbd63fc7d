// Creating and finding elements. Text is always set as text, so a hostile file name cannot become markup.

/** The element with this id. Throws if the page has none. */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no element #${id}`);
  return element;
}

/** Create an element. Attributes that are false or null are left out, true is set empty. String children become text. */
export function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** Create an SVG element. */
export function makeSvg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/** Show or hide an element; with `text`, also set its text. */
export function show(element, visible, text) {
  element.hidden = !visible;
  if (text !== undefined) element.textContent = text;
}

/** Set a text, with `backticks` shown as code. */
export function setMarked(element, text) {
  const parts = text.split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));
  element.replaceChildren(...parts);
}

/** The selected value of a group of radio buttons. */
export function chosen(group) {
  return group.querySelector("input:checked")?.value;
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}
