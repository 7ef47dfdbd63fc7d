// The clip to work on: a dropped or chosen file, or a medium of the server.

import { byId, make, show } from "../base/dom.js";
import { bytes, facts, remaining } from "../base/format.js";
import { upload } from "../server/upload.js";

/** Media id of the sample clip. */
export const SAMPLE = "0".repeat(26);
const SAMPLES = { [SAMPLE]: "Sample clip", [`${"0".repeat(25)}1`]: "Sample picture" };
const MOST_RECENT = 8;
const EMPTY = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

/** The choice of a clip. Calls `onClip(record)` with the media record of the chosen clip. */
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
      file.value = ""; // allows choosing the same file again
    });
    byId("upload-cancel").addEventListener("click", () => this.#uploading?.abort());
    this.#acceptDrops();
  }

  /** Choose a clip. */
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

  /** Show the clips among these media (newest first). */
  offer(media) {
    const uploads = media.filter((record) => record.source === "upload" || record.source === "url");
    const visible = uploads.filter((record) => ["video", "image", "images"].includes(record.kind));
    const offered = visible.filter((record, index) => index < MOST_RECENT || record.id in SAMPLES);
    const shown = new Map([...byId("recent").children].map((item) => [item.dataset.id, item]));
    byId("recent").replaceChildren(...offered.map((record) => shown.get(record.id) ?? this.#tile(record)));
  }

  /** The promise of a thumbnail's URL; "" if the medium has none. */
  thumbnail(record) {
    if (!this.#pictures.has(record.id)) {
      const promise = this.#api.mediaUrl(record.urls.thumbnail).then(
        ({ url }) => url,
        () => "",
      );
      this.#pictures.set(record.id, promise);
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
    image.onerror = () => (image.src = EMPTY); // instead of a broken picture
    image.dataset.of = record.id;
    image.src = EMPTY;
    const url = await this.thumbnail(record);
    if (url && image.dataset.of === record.id) image.src = url;
  }

  async #take(file) {
    this.#uploading?.abort();
    const canceling = new AbortController();
    this.#uploading = canceling;
    const onProgress = uploadProgress(file);
    show(byId("clip-error"), false);
    show(byId("upload"), true);
    try {
      this.choose(await upload(this.#api, file, { onProgress, signal: canceling.signal }));
    } catch (error) {
      if (error.name !== "AbortError") show(byId("clip-error"), true, `${file.name} was not uploaded. ${error.message}`);
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
    let depth = 0; // dragenter and dragleave fire for every nested element
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

/** Return a function that shows how many bytes of a file have been sent. */
function uploadProgress(file) {
  const began = performance.now();
  const update = (sent) => {
    byId("upload-bar").value = file.size ? sent / file.size : 0;
    const took = (performance.now() - began) / 1000;
    const rate = took > 0.5 ? sent / took : 0;
    const left = rate ? ` · ${bytes(rate)}/s · ${remaining((file.size - sent) / rate)} left` : "";
    const done = file.size > 0 && sent >= file.size;
    byId("upload-text").textContent = done ? "Checking the file…" : `${bytes(sent)} of ${bytes(file.size)}${left}`;
  };
  byId("upload-name").textContent = file.name;
  update(0);
  return update;
}
