// The markup of texts in which `backticks` mark code.

import { html } from "./html.js";

export function marked(text) {
  return text.split("`").map((part, index) => (index % 2 ? html`<code>${part}</code>` : part));
}
