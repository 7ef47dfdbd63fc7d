// The shots as cards, each with its best keyframe. Cards of unchanged shots are reused when the threshold moves.

import { byId, make } from "./dom.js";
import { timecodeAt } from "../../../shared/timeline/exports.js";
import { clock } from "../../../shared/timeline/timecode.js";

const KINDS = { start: "Start", cut: "Cut", fade: "Fade", dissolve: "Dissolve" };
const HOVER_MS = 140; // the pointer rests this long before a card plays

/** The cards of the shots. `onGo(index)`: called when a card is clicked. A card under the pointer plays the clip of `player`. */
export class Cards {
  #host;
  #drawn = new Map(); // key -> card
  #current = null;
  #onGo;
  #clip = byId("card-clip");
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
      if (card === this.#clip.closest(".card") && card) return;
      clearTimeout(timer);
      this.#rest();
      if (card) timer = setTimeout(() => this.#watch(card), HOVER_MS);
    });
    host.addEventListener("pointerleave", () => {
      clearTimeout(timer);
      this.#rest();
    });
  }

  /** Draw `shots` of `video`. `keyframesOf(shot)` returns {own, substitute}, as in keyframes.js. */
  show(video, shots, keyframesOf) {
    this.#rest();
    const kept = new Map();
    const cards = shots.map((shot) => {
      const { own, substitute } = keyframesOf(shot);
      // The threshold renumbers the shots: a label names the shot that has the keyframe now.
      const like = substitute ? shots.findIndex(({ startFrame, endFrame }) => startFrame <= substitute.frame && substitute.frame < endFrame) : -1;
      const pictured = (own[0] ?? substitute)?.frame;
      const key = [video.index, shot.index, shot.startFrame, shot.endFrame, shot.kind, own.length, pictured, like].join(":");
      const card = this.#drawn.get(key) ?? draw(video, shot, { own, substitute, like });
      kept.set(key, card);
      return card;
    });
    this.#drawn = kept;
    this.#host.replaceChildren(...cards);
    this.#current = null;
  }

  /** Mark the current shot. */
  mark(index) {
    const card = this.#host.children[index]?.firstElementChild ?? null;
    if (card === this.#current) return;
    this.#current?.removeAttribute("aria-current");
    card?.setAttribute("aria-current", "true");
    this.#current = card;
  }

  /** Scroll to a card. */
  reveal(index) {
    this.#host.children[index]?.scrollIntoView({ block: "nearest" });
  }

  /** Play the shot in its card, without sound. */
  #watch(card) {
    const address = this.#player.address;
    if (!address) return;
    const [start, end] = [Number(card.dataset.start), Number(card.dataset.end)];
    if (this.#clip.getAttribute("src") !== address) this.#clip.src = address;
    card.querySelector(".picture").append(this.#clip);
    this.#clip.currentTime = start + 0.001;
    this.#clip.ontimeupdate = () => this.#clip.currentTime >= end && (this.#clip.currentTime = start + 0.001);
    this.#clip.hidden = false;
    this.#clip.play().catch(() => {});
  }

  /** Stop the clip and remove it from the card. */
  #rest() {
    this.#clip.pause();
    this.#clip.hidden = true;
    this.#clip.ontimeupdate = null;
    byId("shelf").append(this.#clip);
  }
}

function draw(video, shot, { own, substitute, like }) {
  const keyframe = own[0] ?? substitute;
  const when = timecodeAt(video, shot.startFrame, shot.start);
  const length = clock(shot.end - shot.start);
  const picture = make("span", { class: "picture" });
  picture.style.aspectRatio = `${video.width} / ${video.height}`;
  if (keyframe?.picture) picture.append(make("img", { src: keyframe.picture, alt: "", loading: "lazy", decoding: "async" }));
  if (!own.length) picture.append(make("span", { class: "note" }, like >= 0 ? `like shot ${like + 1}` : "no keyframe"));
  if (own.length > 1) picture.append(make("span", { class: "note" }, `${own.length} keyframes`));
  const reasons = own[0] ? `Frame ${own[0].frame}, ${own[0].score.toFixed(2)}: ${own[0].reasons.join(", ")}` : "";
  const text = make(
    "span",
    { class: "caption" },
    make("span", { class: "number" }, make("span", { class: "unseen" }, "Shot "), String(shot.index + 1)),
    make("span", { class: "when" }, when),
    make("span", { class: `kind ${shot.kind}` }, KINDS[shot.kind]),
    make("span", { class: "length" }, `${length} · ${(shot.endFrame - shot.startFrame).toLocaleString("en")} frames`),
    make("span", { class: "why", title: reasons }, reasons),
  );
  const data = { "data-shot": String(shot.index), "data-start": String(shot.start), "data-end": String(shot.end) };
  return make("li", {}, make("button", { type: "button", class: "card", ...data }, picture, text));
}
