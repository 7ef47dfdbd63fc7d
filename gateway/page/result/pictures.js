// The pictures of a job in a grid, each with its time and score.

import { byId, make, show } from "../base/dom.js";
import { position, short, words } from "../base/format.js";

const MOST = 200; // the others are in the download only
const DEEPEST = 4; // levels of a result that are searched for names of pictures

/**
 * Show the pictures of `many` (a medium of kind "images", or none), then those of `single` ([name, medium] of kind "image").
 * `signal` aborts when another job is shown.
 */
export async function showPictures(api, many, single, result, signal) {
  const { items } = many ? await api.get(many.urls.files, { signal }) : { items: [] };
  const details = new Map();
  gather(result, details, 0);
  const tiles = items.slice(0, MOST).map((item) => tileOf(api, item, details.get(item.name), signal));
  tiles.push(...single.map(([name, medium]) => tileOf(api, { name: words(name), url: medium.urls.content }, null, signal)));
  byId("pictures").replaceChildren(...tiles);
  byId("pictures-more").textContent = items.length > MOST ? `${items.length - MOST} more are in the download.` : "";
  show(byId("pictures-panel"), true);
  byId("pictures-title").textContent = many ? `${items.length} ${items.length === 1 ? "picture" : "pictures"}` : "Pictures";
}

function tileOf(api, item, detail, signal) {
  const image = make("img", { alt: item.name, loading: "lazy" });
  const link = make("a", { href: item.url, target: "_blank", rel: "noopener", title: item.name }, image);
  const tile = make("li", {}, link, make("p", { class: "small muted" }, captionOf(item, detail)));
  if (!api.keyed) image.src = item.url;
  else whenSeen(tile, () => fetchInto(api, item, image, link, signal));
  return tile;
}

function captionOf(item, detail) {
  const parts = [];
  if (Number.isFinite(detail?.timestamp_s)) parts.push(position(detail.timestamp_s));
  if (Number.isFinite(detail?.score)) parts.push(`score ${short(detail.score)}`);
  return parts.length ? parts.join(" · ") : item.name;
}

/** Call `begin` when a tile comes into view. With a key each picture is fetched, because <img> cannot send a key. */
function whenSeen(tile, begin) {
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    begin();
  });
  observer.observe(tile);
}

async function fetchInto(api, item, image, link, signal) {
  const held = await api.mediaUrl(item.url, signal).catch(() => null);
  if (!held) return;
  image.src = held.url;
  link.href = held.url;
  signal.addEventListener("abort", held.release);
}

/** Collect the objects of a result that name a picture: name -> object. */
function gather(value, detail, depth) {
  if (value === null || typeof value !== "object" || depth > DEEPEST) return;
  const name = value.file ?? value.image;
  if (typeof name === "string") detail.set(name, value);
  for (const inner of Object.values(value)) if (typeof inner === "object") gather(inner, detail, depth + 1);
}
