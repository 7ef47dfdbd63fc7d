// Making and finding elements. Text is only ever set as text, so that a hostile file name stays a name.

/** The element of the page with this id. A missing one is a mistake in the page. */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no element #${id}`);
  return found;
}

/** A new element: attributes (true is an empty one, false and null are left out), then children (strings become text). */
export function make(tag, attributes = {}, ...children) {
  return dress(document.createElement(tag), attributes, children);
}

/** The same in SVG. */
export function makeSvg(tag, attributes = {}, ...children) {
  return dress(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/** Show or hide; with text, also say it. */
export function show(element, visible, text) {
  element.hidden = !visible;
  if (text !== undefined) element.textContent = text;
}

/** Put a text into an element, with what stands in `backticks` as code. */
export function setMarked(element, text) {
  const parts = text.split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));
  element.replaceChildren(...parts);
}

/** The chosen value of a group of radio buttons. */
export function chosen(group) {
  return group.querySelector("input:checked")?.value;
}

function dress(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}
