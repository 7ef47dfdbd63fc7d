// The shots as cards, each with its best keyframe. Cards that are the same after another cut stay as they are.

import { byId, make } from "./dom.js";
import { timecodeAt } from "./lists.js";
import { clock } from "./timecode.js";

const KINDS = { start: "Start", cut: "Cut", fade: "Fade", dissolve: "Dissolve" };
const LOOK_MS = 140; // the pointer rests this long before a card plays

/** `onGo(shot, play)`: a card was clicked; `player` plays under the pointer. */
export class Cards {
  #host;
  #made = new Map(); // key -> card
  #current = null;
  #onGo;
  #look = byId("look");
  #player;

  constructor(host, { onGo, player }) {
    this.#host = host;
    this.#onGo = onGo;
    this.#player = player;
    host.addEventListener("click", (event) => {
      const card = event.target.closest(".card");
      if (card) this.#onGo(Number(card.dataset.shot));
    });
    let timer = 0;
    host.addEventListener("pointerover", (event) => {
      const card = event.pointerType === "touch" ? null : event.target.closest(".card");
      if (card === this.#look.closest(".card") && card) return;
      clearTimeout(timer);
      this.#rest();
      if (card) timer = setTimeout(() => this.#watch(card), LOOK_MS);
    });
    host.addEventListener("pointerleave", () => {
      clearTimeout(timer);
      this.#rest();
    });
  }

  /** Draw `shots` of `video`; `keyframesOf(shot)`: {own, stand} (the shot's own, best first, or one that stands in). */
  show(video, shots, keyframesOf) {
    this.#rest();
    const kept = new Map();
    const cards = shots.map((shot) => {
      const key = `${video.index}:${shot.index}:${shot.startFrame}:${shot.endFrame}:${shot.kind}`;
      const card = this.#made.get(key) ?? draw(video, shot, keyframesOf(shot));
      kept.set(key, card);
      return card;
    });
    this.#made = kept;
    this.#host.replaceChildren(...cards);
    this.#current = null;
  }

  /** Mark the shot that is seen now. */
  mark(index) {
    const card = this.#host.children[index]?.firstElementChild ?? null;
    if (card === this.#current) return;
    this.#current?.removeAttribute("aria-current");
    card?.setAttribute("aria-current", "true");
    this.#current = card;
  }

  reveal(index) {
    this.#host.children[index]?.scrollIntoView({ block: "nearest" });
  }

  /** Play the shot in its card, without sound. */
  #watch(card) {
    const address = this.#player.address;
    if (!address) return;
    const [start, end] = [Number(card.dataset.start), Number(card.dataset.end)];
    if (this.#look.getAttribute("src") !== address) this.#look.src = address;
    card.querySelector(".picture").append(this.#look);
    this.#look.currentTime = start + 0.001;
    this.#look.ontimeupdate = () => this.#look.currentTime >= end && (this.#look.currentTime = start + 0.001);
    this.#look.hidden = false;
    this.#look.play().catch(() => {});
  }

  #rest() {
    this.#look.pause();
    this.#look.hidden = true;
    this.#look.ontimeupdate = null;
    byId("shelf").append(this.#look);
  }
}

function draw(video, shot, { own, stand }) {
  const keyframe = own[0] ?? stand;
  const when = timecodeAt(video, shot.startFrame, shot.start);
  const length = clock(shot.end - shot.start);
  const picture = make("span", { class: "picture" });
  picture.style.aspectRatio = `${video.width} / ${video.height}`;
  if (keyframe?.picture) picture.append(make("img", { src: keyframe.picture, alt: "", loading: "lazy", decoding: "async" }));
  if (!own.length) picture.append(make("span", { class: "stand" }, keyframe ? `like shot ${keyframe.shot + 1}` : "no keyframe"));
  if (own.length > 1) picture.append(make("span", { class: "stand" }, `${own.length} keyframes`));
  const why = own[0] ? `Frame ${own[0].frame}, ${own[0].score.toFixed(2)}: ${own[0].reasons.join(", ")}` : "";
  const text = make(
    "span",
    { class: "caption" },
    make("span", { class: "number" }, make("span", { class: "unseen" }, "Shot "), String(shot.index + 1)),
    make("span", { class: "when" }, when),
    make("span", { class: `kind ${shot.kind}` }, KINDS[shot.kind]),
    make("span", { class: "length" }, `${length} · ${(shot.endFrame - shot.startFrame).toLocaleString("en")} frames`),
    make("span", { class: "why", title: why }, why),
  );
  const data = { "data-shot": String(shot.index), "data-start": String(shot.start), "data-end": String(shot.end) };
  return make("li", {}, make("button", { type: "button", class: "card", ...data }, picture, text));
}
