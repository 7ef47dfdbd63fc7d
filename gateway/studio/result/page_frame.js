// A page that a job made, such as the gallery of keyframes, inside the studio. The server serves it without this page's origin.

import { Element } from "../base/element.js";
import { html } from "../base/html.js";

class PageFrame extends Element {
  static props = { store: null, record: null };

  view() {
    const { store, record } = this;
    // A frame cannot send a key.
    if (store.api.keyed) return html`<div class="stage plain"><p class="muted">This page cannot show ${record.name} while an API key is in use. Download the file and open it.</p></div>`;
    return html`<iframe class="page-frame" title=${record.name} src=${record.urls.content} sandbox="allow-scripts allow-downloads"></iframe>`;
  }
}

Element.define("page-frame", PageFrame);
