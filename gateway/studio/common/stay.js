// The user's stay on a screen, for answers of the server that may come after it.

import { notify } from "./notices.js";

export class Stay {
  #element;
  #hasGone = false;

  /** Begin a stay, before the request is sent. `element`: the one that sends it. @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
    addEventListener("hashchange", () => (this.#hasGone = true), { once: true });
  }

  /** Whether the user has gone on to another screen, or come back since. */
  get isOver() {
    return this.#hasGone || !this.#element.isConnected;
  }

  /** Open an address. If the stay is over, a notice with `text` offers it. */
  open(address, text) {
    if (this.isOver) notify(text, { action: { label: "Show", run: () => (location.hash = address) } });
    else location.hash = address;
  }
}
