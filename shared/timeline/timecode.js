// Timecode (SMPTE ST 12-1), counted as in shared/video/probing/timecode.py, and readable times.

/** Return the timecode of a frame number that counts from midnight. `whole`: rounded frames per second (30 for 29.97). `drop`: drop-frame counting. */
export function timecode(frame, whole, drop) {
  const dropped = drop ? Math.floor(whole / 15) : 0;
  const day = 24 * 3600 * whole - 24 * 54 * dropped;
  let number = ((frame % day) + day) % day;
  if (drop) {
    const tenMinutes = Math.floor(number / (600 * whole - 9 * dropped));
    const rest = number % (600 * whole - 9 * dropped);
    const minutesAfter = rest < 60 * whole ? 0 : 1 + Math.floor((rest - 60 * whole) / (60 * whole - dropped));
    number += dropped * (9 * tenMinutes + minutesAfter);
  }
  const seconds = Math.floor(number / whole);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map((part) => pad(part, 2));
  return `${parts.join(":")}${drop ? ";" : ":"}${pad(number % whole, whole > 100 ? String(whole - 1).length : 2)}`;
}

/** Format seconds as 0:02.35 or 1:02:03.40, rounded down. */
export function clock(seconds, digits = 2) {
  const scale = 10 ** digits;
  const ticks = Math.floor(Math.max(seconds, 0) * scale + 1e-6);
  const hours = Math.floor(ticks / scale / 3600);
  const minutes = Math.floor(ticks / scale / 60) % 60;
  const rest = (ticks % (60 * scale)) / scale;
  const tail = pad(rest.toFixed(digits), digits ? digits + 3 : 2);
  return hours ? `${hours}:${pad(minutes, 2)}:${tail}` : `${minutes}:${tail}`;
}

/** Format a fraction such as "30000/1001" as "29.97". */
export function rateText(fraction) {
  return String(Number(ratio(fraction).toFixed(3)));
}

/** Convert a fraction such as "30000/1001" to a number. */
export function ratio(fraction) {
  const [over, under] = fraction.split("/").map(Number);
  return over / (under || 1);
}

function pad(value, length) {
  return String(value).padStart(length, "0");
}
