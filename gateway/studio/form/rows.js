// Edits of lists and tables, whose rows are added, changed and removed. A row is a number, an object, or a list of fixed length.

const ONE_LATER_S = 1;
const ROW_WORDS = { curve: "point", points: "click" }; // widget -> the word for a row

/** Return the cells of a row: an item's fields, or the item itself. */
export function cellsOf(items) {
  return items.type === "row" ? items.cells : [{ ...items, key: null, required: true }];
}

/** Return the value in a cell of a row. */
export function valueIn(row, key) {
  return key === null ? row : row?.[key];
}

/** Return a copy of a row with another value in a cell. Undefined leaves the cell out. */
export function withValue(row, key, value) {
  if (key === null) return value;
  if (Array.isArray(row)) return row.map((other, index) => (index === key ? value : other));
  const { [key]: _before, ...others } = row ?? {};
  return value === undefined ? others : { ...others, [key]: value };
}

/**
 * Make a new last row. Its times begin at the playhead `time`, or a second after the last row where there is none (null); its other values are the
 * declared ones, or those of the last row.
 */
export function newRow(items, rows, time = null) {
  const last = rows.at(-1);
  const cells = cellsOf(items);
  const times = cells.filter(({ widget }) => widget === "time").map(({ key }) => valueIn(last, key)).filter((value) => typeof value === "number");
  let next = time ?? (times.length ? Math.max(...times) + ONE_LATER_S : 0);
  const values = cells.filter(({ required }) => required).map((cell) => {
    if (cell.widget !== "time") return [cell.key, initialOf(cell, valueIn(last, cell.key))];
    next += ONE_LATER_S;
    return [cell.key, rounded(next - ONE_LATER_S)];
  });
  if (items.type !== "row") return values[0][1];
  return items.isTuple ? values.map(([, value]) => value) : Object.fromEntries(values);
}

function initialOf(cell, before) {
  if (cell.type === "list") return [];
  if (cell.type === "row") return newRow(cell, []);
  if (before !== undefined && before !== null) return before;
  if (cell.initial !== undefined && cell.initial !== null) return cell.initial;
  if (cell.type === "choice") return cell.options[0];
  if (cell.type === "switch") return false;
  if (cell.type === "text") return "";
  return Math.min(Math.max(1, cell.min ?? 0), cell.max ?? 1);
}

export function rounded(value) {
  return Number(value.toFixed(3));
}

/** Parse the numbers in a pasted text: "0.5, 1 2" -> [0.5, 1, 2]. Returns null unless the text holds several numbers and nothing else. */
export function numbersIn(text) {
  const parts = text.trim().split(/[\s,;]+/).filter(Boolean).map(Number);
  return parts.length > 1 && parts.every(Number.isFinite) ? parts : null;
}

/** Drop the fields of a result's value that a parameter does not take. */
export function declaredOnly(value, shape) {
  if (Array.isArray(value) && shape.type === "list") return value.map((item) => declaredOnly(item, shape.items));
  if (!value || typeof value !== "object" || shape.type !== "row" || shape.isTuple) return value;
  const known = shape.cells.filter(({ key }) => value[key] !== undefined);
  return Object.fromEntries(known.map((cell) => [cell.key, declaredOnly(value[cell.key], cell)]));
}

/** Format a problem as text, with its place in the value. ["0", "timestamp_s"] -> "Row 1, time: must be at least 0". */
export function problemText({ path, detail }, shape) {
  const place = placeText(path, shape);
  return place ? `${place.charAt(0).toUpperCase()}${place.slice(1)}: ${detail}` : detail;
}

function placeText(path, shape) {
  const [first, ...rest] = path;
  if (first === undefined || !shape) return "";
  const cell = shape.type === "row" ? shape.cells.find(({ key }) => String(key) === first) : null;
  const own = cell ? cell.label.toLowerCase() : /^\d+$/.test(first) ? `${ROW_WORDS[shape.widget] ?? "row"} ${Number(first) + 1}` : first;
  const deeper = placeText(rest, cell ?? shape.items);
  return deeper ? `${own}, ${deeper}` : own;
}
