// Numbers, times and names as text.

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** Format a number of bytes as text: 1536000 -> "1.5 MB". */
export function bytes(count) {
  let unit = 0;
  let value = count;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit && value < 99.5 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

/** Format seconds as "0.85 s", "12.3 s", "4:05" or "1:02:03". */
export function seconds(value) {
  return value < 59.95 ? `${value.toFixed(value < 10 ? 2 : 1)} s` : clock(value);
}

/** Format seconds as "0:30", "4:05" or "1:02:03". */
export function clock(value) {
  const whole = Math.round(value);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (!parts[0]) parts.shift();
  return parts.map((part, index) => (index ? String(part).padStart(2, "0") : part)).join(":");
}

/** Format remaining seconds, rounded: "under 1 s", "12 s", "4:05". */
export function remaining(value) {
  if (value < 1) return "under 1 s";
  return value < 59.5 ? `${Math.round(value)} s` : seconds(value);
}

/** Format a position in a clip, in seconds, as "0:02.35". */
export function position(value) {
  const hundredths = Math.floor(value * 100 + 1e-6);
  const minutes = Math.floor(hundredths / 6000);
  return `${minutes}:${((hundredths % 6000) / 100).toFixed(2).padStart(5, "0")}`;
}

/** Format a number with few significant digits and no trailing zeros: 23.976, 0.5. */
export function short(value, digits = 3) {
  return String(Number(value.toPrecision(value >= 10 ** digits ? Math.ceil(Math.log10(value)) : digits)));
}

/** Format a frame rate as text: "30000/1001" -> "29.97". */
export function rate(fraction) {
  const [over, under = 1] = String(fraction).split("/").map(Number);
  return String(Number((over / under).toFixed(3)));
}

/** Format the age of a time, such as "5 min ago". After a day, return the date of the time instead. The time is in ISO 8601. */
export function ago(time, now = Date.now()) {
  const age = Math.max(0, (now - Date.parse(time)) / 1000);
  if (age < 60) return "just now";
  if (age < 3600) return `${Math.floor(age / 60)} min ago`;
  if (age < 86400) return `${Math.floor(age / 3600)} h ago`;
  return new Date(time).toLocaleDateString();
}

/** Format a name as words: "min_speed" or "Min Speed" -> "Min speed". */
export function words(name) {
  const text = name.replaceAll(/[_-]+/g, " ").toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
