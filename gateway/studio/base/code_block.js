// A block of code, with a button that copies it.

import { Element } from "./element.js";
import { html } from "./html.js";

class CodeBlock extends Element {
  static props = { text: "", label: "Code", state: "" };

  view() {
    return html`<div class="code-block"><pre tabindex="0" aria-label=${this.label}>${this.text}</pre>
      <button type="button" class="quiet" @click=${() => this.#copy()}>${this.state || "Copy"}</button></div>`;
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.text);
      this.state = "Copied";
    } catch {
      getSelection().selectAllChildren(this.querySelector("pre")); // the clipboard works on https and localhost only
      this.state = "Selected";
    }
    setTimeout(() => (this.state = ""), 1500);
  }
}

Element.define("code-block", CodeBlock);
