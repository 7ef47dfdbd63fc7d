// The clip to work on: dropped, chosen from the disk, or one that is on the server already.

import { byId, make, show } from "./dom.js";
import { bytes, facts, remaining } from "./format.js";
import { upload } from "./upload.js";

/** The id of the clip that every installation has. */
export const SAMPLE = "0".repeat(26);
const SAMPLES = { [SAMPLE]: "Sample clip", [`${"0".repeat(25)}1`]: "Sample picture" };
const MOST_RECENT = 8;
const EMPTY = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

/** `onClip(record)` is called with the media record of each clip that is chosen. */
export class Clip {
  #api;
  #onClip;
  #uploading = null;
  #pictures = new Map(); // media id -> promise of a URL

  constructor(api, onClip) {
    this.#api = api;
    this.#onClip = onClip;
    const file = byId("file");
    file.addEventListener("change", () => {
      if (file.files[0]) this.#take(file.files[0]);
      file.value = ""; // so that the same file can be chosen again
    });
    byId("upload-cancel").addEventListener("click", () => this.#uploading?.abort());
    this.#acceptDrops();
  }

  /** Make this the clip. */
  choose(record) {
    this.record = record;
    show(byId("clip-error"), false);
    show(byId("clip-card"), true);
    byId("clip-name").textContent = record.name;
    byId("clip-name").title = record.name;
    byId("clip-facts").textContent = facts(record);
    this.#picture(byId("clip-thumbnail"), record);
    for (const tile of byId("recent").querySelectorAll("button"))
      tile.setAttribute("aria-pressed", String(tile.dataset.id === record.id));
    this.#onClip(record);
  }

  /** Show the clips among these media, which are newest first. */
  offer(media) {
    const uploads = media.filter((record) => record.source === "upload" || record.source === "url");
    const seen = uploads.filter((record) => ["video", "image", "images"].includes(record.kind));
    const offered = seen.filter((record, index) => index < MOST_RECENT || record.id in SAMPLES);
    const shown = new Map([...byId("recent").children].map((item) => [item.dataset.id, item]));
    byId("recent").replaceChildren(...offered.map((record) => shown.get(record.id) ?? this.#tile(record)));
  }

  /** A URL of the thumbnail of a medium; "" where it has none. */
  thumbnail(record) {
    if (!this.#pictures.has(record.id)) {
      const wanted = this.#api.mediaUrl(record.urls.thumbnail).then(
        ({ url }) => url,
        () => "",
      );
      this.#pictures.set(record.id, wanted);
    }
    return this.#pictures.get(record.id);
  }

  #tile(record) {
    const picture = make("img", { alt: "", width: 96, height: 54, loading: "lazy" });
    this.#picture(picture, record);
    const name = SAMPLES[record.id] ?? record.name;
    const pressed = String(this.record?.id === record.id);
    const tile = make(
      "button",
      { type: "button", title: `${record.name} · ${facts(record)}`, "aria-pressed": pressed },
      picture,
      make("span", {}, name),
    );
    tile.dataset.id = record.id;
    tile.addEventListener("click", () => this.choose(record));
    const item = make("li", {}, tile);
    item.dataset.id = record.id;
    return item;
  }

  async #picture(image, record) {
    image.onerror = () => (image.src = EMPTY); // rather than a torn picture
    image.dataset.of = record.id;
    image.src = EMPTY;
    const url = await this.thumbnail(record);
    if (url && image.dataset.of === record.id) image.src = url;
  }

  async #take(file) {
    this.#uploading?.abort();
    const canceling = new AbortController();
    this.#uploading = canceling;
    const told = progressTeller(file);
    show(byId("clip-error"), false);
    show(byId("upload"), true);
    try {
      this.choose(await upload(this.#api, file, { onProgress: told, signal: canceling.signal }));
    } catch (error) {
      if (error.name !== "AbortError") show(byId("clip-error"), true, `${file.name} was not taken. ${error.message}`);
    } finally {
      if (this.#uploading === canceling) {
        this.#uploading = null;
        show(byId("upload"), false);
      }
    }
  }

  #acceptDrops() {
    const drop = byId("drop");
    const carries = (event) => event.dataTransfer?.types.includes("Files");
    let depth = 0; // dragenter and dragleave come for every element below
    const over = (change) => {
      depth = Math.max(0, depth + change);
      drop.classList.toggle("over", depth > 0);
    };
    addEventListener("dragenter", (event) => carries(event) && over(1));
    addEventListener("dragleave", (event) => carries(event) && over(-1));
    addEventListener("dragover", (event) => carries(event) && event.preventDefault());
    addEventListener("drop", (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      depth = 0;
      over(0);
      if (event.dataTransfer.files[0]) this.#take(event.dataTransfer.files[0]);
    });
  }
}

/** Shows how much of a file has been sent. */
function progressTeller(file) {
  const began = performance.now();
  const tell = (sent) => {
    byId("upload-bar").value = file.size ? sent / file.size : 0;
    const took = (performance.now() - began) / 1000;
    const rate = took > 0.5 ? sent / took : 0;
    const left = rate ? ` · ${bytes(rate)}/s · ${remaining((file.size - sent) / rate)} left` : "";
    const done = file.size > 0 && sent >= file.size;
    byId("upload-text").textContent = done ? "Checking the file…" : `${bytes(sent)} of ${bytes(file.size)}${left}`;
  };
  byId("upload-name").textContent = file.name;
  tell(0);
  return tell;
}
