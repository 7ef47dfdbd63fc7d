// The pictures that a job made, in a grid, each with what the result says about it.

import { byId, make, show } from "./dom.js";
import { position, short, words } from "./format.js";

const MOST = 200; // the rest is in the download
const DEEPEST = 4; // levels of a result that are looked through for a picture's name

/**
 * Show the pictures of a medium of kind "images", if there is one, and after them `single` media of kind "image", as [name, medium].
 * `signal` ends it when another job is looked at.
 */
export async function showPictures(api, many, single, result, signal) {
  const { items } = many ? await api.get(many.urls.files, { signal }) : { items: [] };
  const told = new Map();
  gather(result, told, 0);
  const tiles = items.slice(0, MOST).map((item) => tileOf(api, item, told.get(item.name), signal));
  tiles.push(...single.map(([name, medium]) => tileOf(api, { name: words(name), url: medium.urls.content }, null, signal)));
  byId("pictures").replaceChildren(...tiles);
  byId("pictures-more").textContent = items.length > MOST ? `${items.length - MOST} more are in the download.` : "";
  show(byId("pictures-panel"), true);
  byId("pictures-title").textContent = many ? `${items.length} ${items.length === 1 ? "picture" : "pictures"}` : "Pictures";
}

function tileOf(api, item, told, signal) {
  const image = make("img", { alt: item.name, loading: "lazy" });
  const link = make("a", { href: item.url, target: "_blank", rel: "noopener", title: item.name }, image);
  const tile = make("li", {}, link, make("p", { class: "small muted" }, captionOf(item, told)));
  if (!api.keyed) image.src = item.url;
  else whenSeen(tile, () => fetchInto(api, item, image, link, signal));
  return tile;
}

function captionOf(item, told) {
  const said = [];
  if (Number.isFinite(told?.timestamp_s)) said.push(position(told.timestamp_s));
  if (Number.isFinite(told?.score)) said.push(`score ${short(told.score)}`);
  return said.length ? said.join(" · ") : item.name;
}

/** Elements cannot send a key, so that with one each picture is fetched, when it comes into view. */
function whenSeen(tile, begin) {
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    seen.disconnect();
    begin();
  });
  seen.observe(tile);
}

async function fetchInto(api, item, image, link, signal) {
  const held = await api.mediaUrl(item.url, signal).catch(() => null);
  if (!held) return;
  image.src = held.url;
  link.href = held.url;
  signal.addEventListener("abort", held.release);
}

/** Every object in a result that names a picture, by that name. */
function gather(value, told, depth) {
  if (value === null || typeof value !== "object" || depth > DEEPEST) return;
  const name = value.file ?? value.image;
  if (typeof name === "string") told.set(name, value);
  for (const inner of Object.values(value)) if (typeof inner === "object") gather(inner, told, depth + 1);
}
