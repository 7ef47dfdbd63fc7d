// SHA-256 of data that comes in parts (FIPS 180-4). The browser's own hashing needs all data in memory, and a page on https or localhost.

const BLOCK = 64; // length of a block in bytes
const ROUNDS = 64;

/** The first primes; their roots give the constants of the standard. */
const PRIMES = primes(ROUNDS);
const K = Int32Array.from(PRIMES, (prime) => fraction(Math.cbrt(prime)));

export class Sha256 {
  #state = Int32Array.from(PRIMES.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));
  #rest = new Uint8Array(2 * BLOCK); // the bytes that fill no block yet, and room for the end
  #held = 0; // bytes of #rest
  #total = 0;
  #words = new Int32Array(ROUNDS);

  /** Add bytes to the hashed data. @param {Uint8Array} bytes */
  update(bytes) {
    let from = 0;
    this.#total += bytes.length;
    if (this.#held) {
      from = Math.min(BLOCK - this.#held, bytes.length);
      this.#rest.set(bytes.subarray(0, from), this.#held);
      this.#held += from;
      if (this.#held < BLOCK) return this;
      this.#blocks(this.#rest, 0, BLOCK);
      this.#held = 0;
    }
    const end = from + Math.floor((bytes.length - from) / BLOCK) * BLOCK;
    this.#blocks(bytes, from, end);
    this.#rest.set(bytes.subarray(end));
    this.#held = bytes.length - end;
    return this;
  }

  /** Finish the computation; return the digest as 64 hexadecimal digits. */
  hex() {
    const last = this.#held < BLOCK - 8 ? BLOCK : 2 * BLOCK;
    this.#rest.fill(0, this.#held);
    this.#rest[this.#held] = 0x80;
    const view = new DataView(this.#rest.buffer);
    view.setUint32(last - 8, Math.floor(this.#total / 2 ** 29));
    view.setUint32(last - 4, (this.#total % 2 ** 29) * 8);
    this.#blocks(this.#rest, 0, last);
    return [...this.#state].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  /** Hash whole blocks, from byte `from` to byte `end`. */
  #blocks(bytes, from, end) {
    const [state, words] = [this.#state, this.#words];
    let [a0, b0, c0, d0, e0, f0, g0, h0] = state;
    for (let at = from; at < end; at += BLOCK) {
      for (let i = 0, place = at; i < 16; i += 1, place += 4)
        words[i] = (bytes[place] << 24) | (bytes[place + 1] << 16) | (bytes[place + 2] << 8) | bytes[place + 3];
      for (let i = 16; i < ROUNDS; i += 1) {
        const [x, y] = [words[i - 15], words[i - 2]];
        const low = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
        const high = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
        words[i] = (low + words[i - 7] + high + words[i - 16]) | 0;
      }
      let [a, b, c, d, e, f, g, h] = [a0, b0, c0, d0, e0, f0, g0, h0];
      for (let i = 0; i < ROUNDS; i += 1) {
        const high = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
        const first = (h + high + (g ^ (e & (f ^ g))) + K[i] + words[i]) | 0;
        const low = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
        const second = (low + ((a & b) | (c & (a | b)))) | 0;
        h = g;
        g = f;
        f = e;
        e = (d + first) | 0;
        d = c;
        c = b;
        b = a;
        a = (first + second) | 0;
      }
      a0 = (a0 + a) | 0;
      b0 = (b0 + b) | 0;
      c0 = (c0 + c) | 0;
      d0 = (d0 + d) | 0;
      e0 = (e0 + e) | 0;
      f0 = (f0 + f) | 0;
      g0 = (g0 + g) | 0;
      h0 = (h0 + h) | 0;
    }
    state.set([a0, b0, c0, d0, e0, f0, g0, h0]);
  }
}

/** Return the first 32 bits of a number's fractional part. */
function fraction(value) {
  return Math.floor((value % 1) * 2 ** 32) | 0;
}

function primes(count) {
  const found = [];
  for (let number = 2; found.length < count; number += 1) if (found.every((prime) => number % prime)) found.push(number);
  return found;
}
