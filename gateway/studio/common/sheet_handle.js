// The handle of a bottom sheet. On narrow screens, a panel lies over the lower part of the page; its handle raises and lowers it.

import { Element } from "../base/element.js";
import { html } from "../base/html.js";
import { icon } from "../base/icons.js";

const PRESS_PX = 6; // longest drag that counts as a press
const GLIDE_MS = 180;
const BEHIND = ".clip :is(.transport, .bench)"; // the parts of the page that a raised sheet can cover

class SheetHandle extends Element {
  /** Properties of the handle, the first child of its sheet. `label`: name of the sheet's content; `content`: id of the part that a lowered sheet hides; `opensLowered`: whether the sheet is lowered at first. */
  static props = { label: "", content: "", opensLowered: false, isRaised: true };
  #drag = null; // {from, height} of a pointer that is down
  #isDragged = false;
  #scrolled = 0; // of the hidden content, in pixels

  enter() {
    const { leaving: signal } = this;
    this.isRaised = this.#remembered;
    addEventListener("popstate", () => this.#show(this.#remembered), { signal });
    document.addEventListener("keydown", (event) => this.#onKey(event), { signal });
    const resized = new ResizeObserver(markCovered);
    for (const element of [this.parentElement, ...document.querySelectorAll(BEHIND)]) resized.observe(element);
    signal.addEventListener("abort", () => resized.disconnect());
  }

  leave() {
    markCovered();
  }

  changed(name) {
    if (["label", "opensLowered"].includes(name) && this.isConnected) this.isRaised = this.#remembered; // another tool
    this.redraw();
  }

  /** Whether the sheet is raised, as stored in the browser's current history entry. */
  get #remembered() {
    return history.state?.isSheetRaised ?? !this.opensLowered;
  }

  /** Whether the panel is a sheet. On wide screens the handle is hidden, and the panel is beside the viewer. */
  get isSheet() {
    return getComputedStyle(this).display !== "none";
  }

  /** Raise the sheet. The browser's Back lowers it again. */
  raise() {
    if (!this.isSheet || this.isRaised) return;
    history.pushState({ ...history.state, isSheetRaised: true }, "");
    this.#show(true);
  }

  lower() {
    if (!this.isSheet || !this.isRaised) return;
    this.#show(false);
    if (history.state?.isSheetRaised) history.back(); // to the step in which it was low
    else history.replaceState({ ...history.state, isSheetRaised: false }, "");
  }

  #show(isRaised) {
    if (isRaised === this.isRaised) return;
    const sheet = this.parentElement;
    const content = document.getElementById(this.content);
    const before = sheet.getBoundingClientRect().top;
    if (!isRaised) {
      this.#scrolled = content.scrollTop;
      if (content.contains(document.activeElement)) this.querySelector("button").focus();
    }
    this.isRaised = isRaised;
    this.draw();
    if (isRaised) content.scrollTop = this.#scrolled;
    if (!this.isSheet || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const way = before - sheet.getBoundingClientRect().top;
    sheet.animate([{ transform: `translateY(${way}px)` }, { transform: "none" }], { duration: GLIDE_MS, easing: "ease-out" });
  }

  #onKey(event) {
    const isElsewhere = event.defaultPrevented || document.querySelector("dialog[open]") || event.target.closest("jobs-drawer");
    if (event.key === "Escape" && !isElsewhere) this.lower();
  }

  #press() {
    if (this.#isDragged) return;
    if (this.isRaised) this.lower();
    else this.raise();
  }

  #take(event) {
    this.#isDragged = false;
    if (event.button) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    this.#drag = { from: event.clientY, height: this.parentElement.offsetHeight };
  }

  /** Let the edge of the sheet follow the finger. */
  #follow(event) {
    if (!this.#drag) return;
    const moved = this.#drag.from - event.clientY;
    if (Math.abs(moved) > PRESS_PX) this.#isDragged = true;
    if (!this.#isDragged) return;
    const sheet = this.parentElement;
    sheet.classList.remove("lowered");
    sheet.classList.add("dragged");
    sheet.style.height = `${this.#drag.height + moved}px`;
  }

  /** Raise or lower the sheet in the direction of the drag. */
  #release(event) {
    if (!this.#drag) return;
    const moved = this.#drag.from - event.clientY;
    this.#drag = null;
    if (!this.#isDragged) return;
    const sheet = this.parentElement;
    sheet.classList.remove("dragged");
    sheet.style.height = "";
    if (moved > PRESS_PX) this.raise();
    else if (moved < -PRESS_PX) this.lower();
    this.redraw();
  }

  drawn() {
    this.parentElement.classList.toggle("lowered", !this.isRaised);
    markCovered();
  }

  view() {
    const { isRaised, label, content } = this;
    return html`<h2><button type="button" class="sheet-grip" aria-expanded=${String(isRaised)} aria-controls=${content} title=${isRaised ? "Lower this panel" : "Raise this panel"}
      @click=${() => this.#press()} @pointerdown=${(event) => this.#take(event)} @pointermove=${(event) => this.#follow(event)}
      @pointerup=${(event) => this.#release(event)} @pointercancel=${(event) => this.#release(event)}><span>${label}</span>${icon("down")}</button></h2>`;
  }
}

/** Keep the focus out of the parts that the sheet covers. */
function markCovered() {
  const handle = /** @type {any} */ (document.querySelector("sheet-handle"));
  const isCovering = Boolean(handle?.isSheet && handle.isRaised);
  const edge = isCovering ? handle.parentElement.offsetTop : Infinity;
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(BEHIND))) {
    const { bottom } = element.getBoundingClientRect();
    element.inert = isCovering && bottom > edge + 1;
  }
}

Element.define("sheet-handle", SheetHandle);
