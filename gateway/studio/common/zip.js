// Writing of ZIP files, without compression because pictures are compressed already.

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** Return the CRC-32 checksum of bytes, as used in ZIP files. */
export function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** Distributes files over ZIP files of limited size. Each holds at most `most` bytes of content, or one larger file. */
export class ZipSeries {
  #files = [];
  #held = 0; // bytes of #files
  #most;

  constructor(most) {
    this.#most = most;
  }

  /** Add a file: {name, bytes}. If it does not fit any more, the series starts a new ZIP file, and returns the files of the full one; else null. */
  add(file) {
    const size = file.bytes.length;
    const full = this.#files.length && this.#held + size > this.#most ? this.end() : null;
    this.#files.push(file);
    this.#held += size;
    return full;
  }

  /** Return the files of the last ZIP file. */
  end() {
    const files = this.#files;
    [this.#files, this.#held] = [[], 0];
    return files;
  }
}

/** Return the parts of a ZIP file, for a Blob. `files`: [{name, bytes}]; `encode`: text to UTF-8. Below 4 GB, and 65,536 files. */
export function zipParts(files, encode = (text) => new TextEncoder().encode(text)) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const { name, bytes } of files) {
    const path = encode(name);
    const crc = crc32(bytes);
    // Version 2.0, names in UTF-8, stored, 1980-01-01.
    const common = [[20, 2], [0x800, 2], [0, 2], [0, 2], [0x21, 2], [crc, 4], [bytes.length, 4], [bytes.length, 4], [path.length, 2], [0, 2]];
    const head = packed([[0x04034b50, 4], ...common]);
    directory.push(packed([[0x02014b50, 4], [20, 2], ...common, [0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]]), path);
    parts.push(head, path, bytes);
    offset += head.length + path.length + bytes.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = packed([[0x06054b50, 4], [0, 2], [0, 2], [files.length, 2], [files.length, 2], [size, 4], [offset, 4], [0, 2]]);
  return [...parts, ...directory, end];
}

/** Convert numbers to bytes, the lowest first. `fields`: [[value, bytes]]. */
function packed(fields) {
  return Uint8Array.from(fields.flatMap(([value, count]) => Array.from({ length: count }, (_, place) => Math.floor(value / 256 ** place) % 256)));
}
