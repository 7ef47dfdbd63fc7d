// Events of a job: server-sent events over fetch, because EventSource cannot send a key.

import { Problem } from "./api.js";

const ENDS = new Set(["succeeded", "failed", "canceled"]);
const LONGEST_WAIT_MS = 8000;
const LONGEST_SILENCE_MS = 40_000; // silence after which a connection counts as lost; the server sends a comment every 15 s

/** Yield the events of a job as {kind, data}, up to its end. A broken or silent connection is resumed at the next event. */
export async function* follow(api, path, signal) {
  let last = "";
  let failures = 0;
  while (!signal.aborted) {
    const closing = new AbortController();
    try {
      const headers = last ? { "Last-Event-ID": last } : {};
      const response = await unlessSilent(api.send("GET", path, { headers, signal: AbortSignal.any([signal, closing.signal]), limit: null }));
      for await (const event of parse(response.body)) {
        failures = 0;
        last = event.id || last;
        yield { kind: event.event, data: JSON.parse(event.data) };
        if (ENDS.has(event.event)) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem && error.status < 500) throw error;
    } finally {
      closing.abort();
    }
    failures += 1;
    await new Promise((resolve) => setTimeout(resolve, Math.min(250 * 2 ** failures, LONGEST_WAIT_MS)));
  }
}

/** Parse events from a byte stream (WHATWG text/event-stream). */
async function* parse(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await unlessSilent(reader.read());
      if (done) return;
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const event = fieldsOf(block);
        if (event.data) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Wait for a promise; throw if it takes too long. */
async function unlessSilent(promise) {
  let timer;
  const silence = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error("No data arrives.")), LONGEST_SILENCE_MS)));
  try {
    return await Promise.race([promise, silence]);
  } finally {
    clearTimeout(timer);
  }
}

function fieldsOf(block) {
  const event = { id: "", event: "message", data: "" };
  for (const line of block.split("\n")) {
    const [, name, value] = line.match(/^(id|event|data): ?(.*)$/) ?? [];
    if (name) event[name] = value;
  }
  return event;
}
