// Short notices at the edge of the page, with an action such as Undo.

import { Element } from "../base/element.js";
import { html, keyed } from "../base/html.js";
import { icon } from "../base/icons.js";

const SHOWN_MS = 7000;
let next = 1;

class Notices extends Element {
  static props = { notices: [] };

  /** Show a text. `action`: {label, run()}; `gone()` is called when the notice disappears without its action. */
  show(text, { action = null, kind = "", gone = () => {} } = {}) {
    const notice = { id: next++, text, action, kind, gone };
    notice.timer = setTimeout(() => this.#close(notice), SHOWN_MS);
    this.notices = [...this.notices, notice];
  }

  #close(notice, byAction = false) {
    if (!this.notices.includes(notice)) return;
    clearTimeout(notice.timer);
    this.notices = this.notices.filter((other) => other !== notice);
    if (byAction) notice.action.run();
    else notice.gone();
  }

  view() {
    return html`<div role="status" aria-live="polite">${this.notices.map((notice) =>
      keyed(
        notice.id,
        html`<div class="notice-card ${notice.kind}">
          <span>${notice.text}</span>
          ${notice.action && html`<button type="button" class="quiet" @click=${() => this.#close(notice, true)}>${notice.action.label}</button>`}
          <button type="button" class="icon quiet" aria-label="Dismiss" @click=${() => this.#close(notice)}>${icon("close")}</button>
        </div>`,
      ),
    )}</div>`;
  }
}

Element.define("studio-notices", Notices);

/** Show a notice on the page. */
export function notify(text, options) {
  /** @type {Notices} */ (document.querySelector("studio-notices")).show(text, options);
}
