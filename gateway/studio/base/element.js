// The base class of the page's elements: a changed property redraws them, and a signal aborts when they leave the page.

import { render } from "./html.js";

export class Element extends HTMLElement {
  /** Property name -> initial value. Setting one redraws the element. */
  static props = {};
  #leaving = null;
  #isDue = false;

  /** Register a class under its tag. */
  static define(tag, type) {
    for (const name of Object.keys(type.props)) {
      const values = new WeakMap();
      Object.defineProperty(type.prototype, name, {
        get() {
          return values.has(this) ? values.get(this) : type.props[name];
        },
        set(value) {
          const before = this[name];
          values.set(this, value);
          if (before !== value) this.changed(name, before);
        },
      });
    }
    customElements.define(tag, type);
  }

  /** A signal that aborts when the element leaves the page. */
  get leaving() {
    this.#leaving ??= new AbortController();
    return this.#leaving.signal;
  }

  connectedCallback() {
    for (const name of Object.keys(/** @type {any} */ (this.constructor).props)) {
      if (!Object.hasOwn(this, name)) continue; // set before this class was loaded
      const value = this[name];
      delete this[name];
      this[name] = value;
    }
    this.enter();
    this.draw();
  }

  disconnectedCallback() {
    queueMicrotask(() => {
      if (this.isConnected) return; // only moved
      this.#leaving?.abort();
      this.#leaving = null;
      this.leave();
    });
  }

  /** Run after the element was added to the page. */
  enter() {}

  /** Run after the element was removed from the page. */
  leave() {}

  /** Run after a property has changed. */
  changed() {
    this.redraw();
  }

  /** Draw once, after all changes of the current task. */
  redraw() {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      if (this.isConnected) this.draw();
    });
  }

  /** Draw now. */
  draw() {
    render(this.view(), this);
    this.drawn();
  }

  /** Return the template of the content. */
  view() {
    return null;
  }

  /** Run after each drawing. */
  drawn() {}

  /** Send an event that all enclosing elements receive. */
  tell(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }
}
