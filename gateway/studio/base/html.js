// Templates: html`<p class=${name}>${text}</p>` describes markup; render(template, host) makes it and later changes only what differs.
//
// In attributes: @click=${function}, .property=${value}, ?disabled=${flag}, :--custom-property=${value}; a plain attribute whose only
// value is null or false is left out. As content: text, nodes, templates, and lists of them; keyed(key, template) keeps an item's
// elements when the list is reordered. Markup comes from the literal parts alone: values are set as text, attributes and properties.

const MARK = "\u0001";
const SLOT = /\u0001(\d+)\u0001/;
const NAME = /([.@?:]?[\w:-]+)\s*=\s*["']?[^"'<>=]*$/;
const TYPED = "textarea, input:not([type=range], [type=color], [type=checkbox], [type=radio])";
const compiled = new WeakMap(); // literal parts -> {element, parts}

export function html(strings, ...values) {
  return { strings, values };
}

/** Make a template whose elements are SVG. */
export function svg(strings, ...values) {
  return { strings, values, isSvg: true };
}

/** Mark a template as the list item with a key. The elements of the item are kept. */
export function keyed(key, template) {
  return { ...template, key };
}

/** Make the content of `host` match the template. */
export function render(template, host) {
  host.renderedContent ??= new Content(host.appendChild(document.createComment("")));
  host.renderedContent.set(template);
}

function compile({ strings, isSvg }) {
  if (!Array.isArray(strings.raw)) throw new TypeError("Templates are literals.");
  const known = compiled.get(strings);
  if (known) return known;
  let text = "";
  const names = [];
  strings.forEach((string, index) => {
    text += string;
    if (index === strings.length - 1) return;
    const isInTag = text.lastIndexOf("<") > text.lastIndexOf(">");
    if (isInTag) names[index] = text.match(NAME)?.[1] ?? names.at(-1);
    text += isInTag ? `${MARK}${index}${MARK}` : `<!--${MARK}${index}${MARK}-->`;
  });
  const element = document.createElement("template");
  element.innerHTML = isSvg ? `<svg>${text}</svg>` : text.trim();
  if (isSvg) element.content.replaceChildren(...element.content.firstChild.childNodes);
  const made = { element, parts: partsOf(element.content, names) };
  compiled.set(strings, made);
  return made;
}

/** Find the places of a template's values: {node: index in document order, ...}. */
function partsOf(content, names) {
  const parts = [];
  const walker = document.createTreeWalker(content, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_COMMENT);
  for (let node = 0; walker.nextNode(); node += 1) {
    const current = /** @type {any} */ (walker.currentNode);
    if (current.nodeType === Node.COMMENT_NODE) {
      const slot = current.data.match(SLOT);
      if (slot) parts.push({ node, slot: Number(slot[1]), kind: "content" });
      continue;
    }
    for (const { name, value } of [...current.attributes]) {
      const pieces = value.split(SLOT);
      if (pieces.length === 1) continue;
      current.removeAttribute(name);
      const slots = pieces.filter((_, index) => index % 2).map(Number);
      const literals = pieces.filter((_, index) => index % 2 === 0);
      parts.push({ node, slots, literals, kind: "attribute", name: names[slots[0]] });
    }
  }
  return parts.sort((a, b) => Number(a.kind === "attribute") - Number(b.kind === "attribute")); // a select needs its options first
}

/** A copy of a template's elements. */
class Instance {
  constructor(template) {
    const { element, parts } = compile(template);
    this.strings = template.strings;
    this.fragment = document.importNode(element.content, true);
    const nodes = [];
    const walker = document.createTreeWalker(this.fragment, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_COMMENT);
    while (walker.nextNode()) nodes.push(walker.currentNode);
    this.parts = parts.map((part) => (part.kind === "content" ? new Content(nodes[part.node], part) : new Attribute(nodes[part.node], part)));
  }

  set(values) {
    for (const part of this.parts) part.set(part.slots ? part.slots.map((slot) => values[slot]) : values[part.slot]);
  }
}

/** A value in a template's content, between two comments. */
class Content {
  #end;
  #start;
  #shown = null; // Instance, Text, List, or a node
  /** @param {Comment} end  @param {{ slot?: number }} [part] */
  constructor(end, { slot } = {}) {
    this.slot = slot;
    this.#end = end;
    this.#start = document.createComment("");
    end.before(this.#start);
  }

  set(value) {
    if (value === null || value === undefined || value === false || value === true || value === "") return this.clear();
    if (Array.isArray(value)) return this.#setList(value);
    if (value.strings) return this.#setTemplate(value);
    if (value instanceof Node) return this.#shown === value ? undefined : this.#replace(value, value);
    if (this.#shown instanceof Text) {
      if (this.#shown.data !== String(value)) this.#shown.data = String(value);
      return undefined;
    }
    const text = document.createTextNode(String(value));
    return this.#replace(text, text);
  }

  clear() {
    this.#shown = null;
    while (this.#start.nextSibling !== this.#end) this.#start.nextSibling.remove();
  }

  get nodes() {
    const nodes = [this.#start];
    while (nodes.at(-1) !== this.#end) nodes.push(nodes.at(-1).nextSibling);
    return nodes;
  }

  #replace(shown, node) {
    this.clear();
    this.#shown = shown;
    this.#end.before(node);
  }

  #setTemplate(template) {
    if (this.#shown instanceof Instance && this.#shown.strings === template.strings) return this.#shown.set(template.values);
    const instance = new Instance(template);
    instance.set(template.values);
    return this.#replace(instance, instance.fragment);
  }

  #setList(values) {
    if (!(this.#shown instanceof Map)) {
      this.clear();
      this.#shown = new Map();
    }
    const before = this.#shown;
    const after = new Map();
    let last = this.#start;
    values.forEach((value, index) => {
      const key = value?.key ?? index;
      let item = before.get(key);
      if (!item) {
        const end = document.createComment("");
        last.after(end);
        item = new Content(end);
      }
      before.delete(key);
      after.set(key, item);
      const nodes = item.nodes;
      if (last.nextSibling !== nodes[0]) last.after(...nodes);
      item.set(value);
      last = item.nodes.at(-1);
    });
    for (const item of before.values()) for (const node of item.nodes) node.remove();
    this.#shown = after;
  }
}

/** An attribute, property or event of an element. A redraw keeps text that the user is typing, unless the template's value has changed. */
class Attribute {
  #before;
  #isTyped = false;
  constructor(element, { slots, literals, name }) {
    this.element = element;
    this.slots = slots;
    this.literals = literals;
    this.kind = ".@?:".includes(name[0]) ? name[0] : "";
    this.name = this.kind ? name.slice(1) : name;
    if (this.kind === "@") element.addEventListener(this.name, this);
    if (name !== ".value" || !element.matches(TYPED)) return;
    element.addEventListener("input", () => (this.#isTyped = true));
    for (const end of ["change", "blur"]) element.addEventListener(end, () => (this.#isTyped = false));
  }

  handleEvent(event) {
    this.#before?.(event);
  }

  set(values) {
    const { element, name, kind } = this;
    const isSingle = values.length === 1 && this.literals.every((literal) => literal === "");
    const value = isSingle ? values[0] : this.literals.map((literal, index) => literal + (values[index] ?? "")).join("");
    const isLive = kind === "." && (name === "value" || name === "checked");
    if (isLive ? element[name] === value || (this.#isTyped && this.#before === value) : this.#before === value) return;
    this.#before = value;
    if (kind === "@") return;
    if (kind === ".") element[name] = value;
    else if (kind === "?") element.toggleAttribute(name, Boolean(value));
    else if (kind === ":") element.style.setProperty(name, value);
    else if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
}
