// The reader of a proxy's index. A proxy is an MP4 file with the index first and one picture per sample, all of them key frames.

const HEADER = 8;

/** Find a box of an MP4 file from an offset on. Returns {start, end}; null if it is not there. `bytes`: DataView of the file's first bytes. */
export function findBox(bytes, type, from = 0, end = bytes.byteLength) {
  for (let at = from; at + HEADER <= end; ) {
    let size = bytes.getUint32(at);
    if (size === 1) size = Number(bytes.getBigUint64(at + 8));
    if (size === 0) size = end - at;
    if (text(bytes, at + 4) === type) return { start: at, end: at + size };
    if (size < HEADER) return null;
    at += size;
  }
  return null;
}

/**
 * Read the video track of the index; times are in seconds. Returns {codec, description, width, height, samples: [{offset, size, time}],
 * duration}.
 */
export function videoTrack(bytes, moov) {
  for (const trak of boxes(bytes, moov, "trak")) {
    const mdia = child(bytes, trak, "mdia");
    const handler = child(bytes, mdia, "hdlr");
    if (text(bytes, handler.start + 16) !== "vide") continue;
    const { timescale, duration } = mediaHeader(bytes, child(bytes, mdia, "mdhd"));
    const table = child(bytes, child(bytes, mdia, "minf"), "stbl");
    const times = timesOf(bytes, table, timescale);
    const first = editStart(bytes, trak, timescale);
    const sizes = sizesOf(bytes, child(bytes, table, "stsz"));
    const offsets = offsetsOf(bytes, table, sizes);
    const samples = sizes.map((size, index) => ({ size, offset: offsets[index], time: times[index] - first }));
    samples.sort((a, b) => a.time - b.time);
    return { ...entryOf(bytes, child(bytes, table, "stsd")), samples, duration: duration / timescale - first };
  }
  throw new Error("The file has no video track.");
}

function text(bytes, at) {
  return String.fromCharCode(...[0, 1, 2, 3].map((index) => bytes.getUint8(at + index)));
}

function child(bytes, box, type) {
  return findBox(bytes, type, box.start + HEADER, box.end);
}

function* boxes(bytes, parent, type) {
  for (let at = parent.start + HEADER; ; ) {
    const box = findBox(bytes, type, at, parent.end);
    if (!box) return;
    yield box;
    at = box.end;
  }
}

function mediaHeader(bytes, { start }) {
  const isLong = bytes.getUint8(start + 8) === 1;
  const at = start + HEADER + (isLong ? 20 : 12);
  return { timescale: bytes.getUint32(at), duration: isLong ? Number(bytes.getBigUint64(at + 4)) : bytes.getUint32(at + 4) };
}

/** Return the seconds of media before the presentation begins, from the edit list. */
function editStart(bytes, trak, timescale) {
  const edits = child(bytes, trak, "edts");
  const list = edits && child(bytes, edits, "elst");
  if (!list) return 0;
  const isLong = bytes.getUint8(list.start + 8) === 1;
  const count = bytes.getUint32(list.start + 12);
  for (let index = 0, at = list.start + 16; index < count; index += 1, at += isLong ? 20 : 12) {
    const time = isLong ? Number(bytes.getBigInt64(at + 8)) : bytes.getInt32(at + 4);
    if (time >= 0) return time / timescale;
  }
  return 0;
}

function timesOf(bytes, table, timescale) {
  const times = [];
  const stts = child(bytes, table, "stts").start + 12;
  let time = 0;
  for (let index = 0; index < bytes.getUint32(stts); index += 1) {
    const [count, delta] = [bytes.getUint32(stts + 4 + 8 * index), bytes.getUint32(stts + 8 + 8 * index)];
    for (let sample = 0; sample < count; sample += 1, time += delta) times.push(time);
  }
  const shifts = child(bytes, table, "ctts");
  if (shifts) {
    const start = shifts.start + 12;
    let sample = 0;
    for (let index = 0; index < bytes.getUint32(start); index += 1) {
      const [count, shift] = [bytes.getUint32(start + 4 + 8 * index), bytes.getInt32(start + 8 + 8 * index)];
      for (let step = 0; step < count; step += 1) times[sample++] += shift;
    }
  }
  return times.map((ticks) => ticks / timescale);
}

function sizesOf(bytes, { start }) {
  const [common, count] = [bytes.getUint32(start + 12), bytes.getUint32(start + 16)];
  return Array.from({ length: count }, (_, index) => common || bytes.getUint32(start + 20 + 4 * index));
}

function offsetsOf(bytes, table, sizes) {
  const short = child(bytes, table, "stco");
  const { start } = short ?? child(bytes, table, "co64");
  const chunks = Array.from({ length: bytes.getUint32(start + 12) }, (_, index) =>
    short ? bytes.getUint32(start + 16 + 4 * index) : Number(bytes.getBigUint64(start + 16 + 8 * index)),
  );
  const runs = child(bytes, table, "stsc").start + 12;
  const runCount = bytes.getUint32(runs);
  const offsets = [];
  let run = 0;
  chunks.forEach((chunk, index) => {
    while (run + 1 < runCount && bytes.getUint32(runs + 4 + 12 * (run + 1)) <= index + 1) run += 1;
    let at = chunk;
    for (let sample = bytes.getUint32(runs + 8 + 12 * run); sample > 0 && offsets.length < sizes.length; sample -= 1) {
      offsets.push(at);
      at += sizes[offsets.length - 1];
    }
  });
  return offsets;
}

/** Return the codec string and decoder configuration of the first sample description (AVC). */
function entryOf(bytes, stsd) {
  const entry = stsd.start + 16;
  const [width, height] = [bytes.getUint16(entry + 32), bytes.getUint16(entry + 34)];
  const avcc = findBox(bytes, "avcC", entry + 86, entry + bytes.getUint32(entry));
  if (!avcc) throw new Error("The preview copy of this clip is not H.264.");
  const start = avcc.start + HEADER;
  const hex = [1, 2, 3].map((index) => bytes.getUint8(start + index).toString(16).padStart(2, "0")).join("");
  const description = new Uint8Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + avcc.end));
  return { codec: `avc1.${hex}`, description, width, height };
}
