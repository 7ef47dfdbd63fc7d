// Views of a medium that the server makes at the first request: proxy, strip, waveform.

import { jsonOf, Problem, Unreachable } from "./api.js";

const SOONEST_MS = 400;
const LATEST_MS = 3000;

/**
 * Wait until a view exists, and return its path. `onWait(job)` is called with the job that makes it. Throws Problem, Unreachable or AbortError.
 * @param {any} api  @param {string} path  @param {{ query?: string, signal?: AbortSignal, onWait?: (job?: any) => void }} [options]
 */
export async function ready(api, path, { signal, onWait = () => {} } = {}) {
  for (let wait = SOONEST_MS; ; wait = Math.min(wait * 1.5, LATEST_MS)) {
    const response = await patiently(() => api.send("GET", path, { signal, headers: { Range: "bytes=0-0" } }), signal);
    if (response.status !== 202) {
      response.body?.cancel();
      return path;
    }
    const job = await response.json();
    onWait(job);
    if (job.status === "failed") throw new Problem(500, job.error);
    await pause(wait, signal);
  }
}

/**
 * Wait until a view exists, and return its JSON. @param {any} api @param {string} path @param {{ query?: string, signal?: AbortSignal,
 * onWait?: (job?: any) => void }} [options]
 */
export async function readyJson(api, path, options = {}) {
  for (let wait = SOONEST_MS; ; wait = Math.min(wait * 1.5, LATEST_MS)) {
    const { isReady, body } = await patiently(async () => {
      const response = await api.send("GET", path, { signal: options.signal });
      return { isReady: response.status !== 202, body: await jsonOf(response) };
    }, options.signal);
    if (isReady) return body;
    options.onWait?.(body);
    await pause(wait, options.signal);
  }
}

const strips = new Map(); // media id -> promise of the strip

/** Return the strip of a clip: {columns, tile_width, tile_height, times_s, image}. It is fetched once. */
export function stripOf(api, record) {
  if (!strips.has(record.id)) {
    const promise = loadStrip(api, record.id);
    strips.set(record.id, promise);
    promise.catch(() => strips.delete(record.id));
  }
  return strips.get(record.id);
}

async function loadStrip(api, id) {
  await ready(api, `/v1/media/${id}/strip`);
  const [tiles, held] = await Promise.all([
    readyJson(api, `/v1/media/${id}/strip/times`),
    api.mediaUrl(`/v1/media/${id}/strip`),
  ]);
  const image = new Image();
  image.src = held.url;
  await image.decode();
  return { ...tiles, image };
}

/** Draw the tile nearest to a time into a canvas context, covering a rectangle. */
export function drawTile(context, strip, time, [x, y, width, height]) {
  const { times_s: times, columns, tile_width: w, tile_height: h } = strip;
  let index = 0;
  while (index < times.length - 1 && Math.abs(times[index + 1] - time) <= Math.abs(times[index] - time)) index += 1;
  const scale = Math.max(width / w, height / h);
  const [sw, sh] = [width / scale, height / scale];
  const [sx, sy] = [(index % columns) * w + (w - sw) / 2, Math.floor(index / columns) * h + (h - sh) / 2];
  context.drawImage(strip.image, sx, sy, sw, sh, x, y, width, height);
}

/**
 * Repeat a request for as long as the server does not answer.
 * @param {() => Promise<any>} request  @param {AbortSignal} [signal]
 */
export async function patiently(request, signal) {
  for (let wait = SOONEST_MS; ; wait = Math.min(wait * 1.5, LATEST_MS)) {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
    }
    await pause(wait, signal);
  }
}

/** Wait `milliseconds`; the promise rejects if the signal aborts. @param {number} milliseconds  @param {AbortSignal} [signal] */
export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
  });
}
