// Scrubbing on a timeline. A finger that moves up or down scrolls the page instead, for which the timeline has `touch-action: pan-y`.

const SIDEWAYS_PX = 6; // way of a finger from which it scrubs
const TAP_PX = 12; // longest way of a tap

export class Scrub {
  #start = null; // place of a finger that has not moved sideways yet
  #press;
  #drag;

  /**
   * Set the functions that take events. `press`: of a mouse button or a tap; `drag`: of each later move.
   * @param {{ press: (event: any) => void, drag: (event: any) => void }} calls
   */
  constructor({ press, drag }) {
    this.#press = press;
    this.#drag = drag;
  }

  down(event) {
    this.#start = event.pointerType === "mouse" ? null : { x: event.clientX, y: event.clientY };
    if (!this.#start) this.#press(event);
  }

  move(event) {
    if (!(event.buttons & 1)) return;
    if (this.#start) {
      const { x, y } = this.#way(event);
      if (x < Math.max(SIDEWAYS_PX, y)) return;
      this.#start = null;
    }
    this.#drag(event);
  }

  up(event) {
    if (!this.#start) return;
    const { x, y } = this.#way(event);
    this.#start = null;
    if (Math.max(x, y) < TAP_PX) this.#press(event);
  }

  /** Return the way of the finger from its start, in both directions. */
  #way({ clientX, clientY }) {
    return { x: Math.abs(clientX - this.#start.x), y: Math.abs(clientY - this.#start.y) };
  }

  cancel() {
    this.#start = null; // the finger scrolls
  }
}
