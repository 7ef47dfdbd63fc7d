// A check whether the user has left a screen before the server's answer to a request from that screen arrives.

import { notify } from "./notices.js";

export class Stay {
  #element;
  #hasGone = false;

  /** Begin a stay, before the request is sent. `element`: the element that sends the request. @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
    addEventListener("hashchange", () => (this.#hasGone = true), { once: true });
  }

  /** Whether the user has gone on to another screen, or come back since. */
  get isOver() {
    return this.#hasGone || !this.#element.isConnected;
  }

  /** Open an address. If the stay is over, offer the address in a notice with `text` instead. */
  open(address, text) {
    if (this.isOver) notify(text, { action: { label: "Show", run: () => (location.hash = address) } });
    else location.hash = address;
  }
}
