// Timecode (SMPTE ST 12-1), as shared/video/timecode.py counts it, and times as people read them.

/** Frame `frame` from midnight of a count of `whole` frames a second (30 for 29.97), with or without dropped numbers. */
export function timecode(frame, whole, drop) {
  const leftOut = drop ? Math.floor(whole / 15) : 0;
  const day = 24 * 3600 * whole - 24 * 54 * leftOut;
  let number = ((frame % day) + day) % day;
  if (drop) {
    const tens = Math.floor(number / (600 * whole - 9 * leftOut));
    const rest = number % (600 * whole - 9 * leftOut);
    const later = rest < 60 * whole ? 0 : 1 + Math.floor((rest - 60 * whole) / (60 * whole - leftOut));
    number += leftOut * (9 * tens + later);
  }
  const seconds = Math.floor(number / whole);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map((part) => pad(part, 2));
  return `${parts.join(":")}${drop ? ";" : ":"}${pad(number % whole, whole > 100 ? String(whole - 1).length : 2)}`;
}

/** Seconds as 0:02.35 or 1:02:03.40, not rounded up. */
export function clock(seconds, digits = 2) {
  const scale = 10 ** digits;
  const ticks = Math.floor(Math.max(seconds, 0) * scale + 1e-6);
  const hours = Math.floor(ticks / scale / 3600);
  const minutes = Math.floor(ticks / scale / 60) % 60;
  const rest = (ticks % (60 * scale)) / scale;
  const tail = pad(rest.toFixed(digits), digits ? digits + 3 : 2);
  return hours ? `${hours}:${pad(minutes, 2)}:${tail}` : `${minutes}:${tail}`;
}

/** "30000/1001" -> 29.97. */
export function rateText(fraction) {
  return String(Number(ratio(fraction).toFixed(3)));
}

/** "30000/1001" as a number. */
export function ratio(fraction) {
  const [over, under] = fraction.split("/").map(Number);
  return over / (under || 1);
}

function pad(value, length) {
  return String(value).padStart(length, "0");
}
