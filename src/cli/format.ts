const COUNT = new Intl.NumberFormat("en");
const DECIMAL = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

/** `12,345` */
export function count(value: number): string {
  return COUNT.format(value);
}

/** `1 page`, `12,345 pages`; the plural takes an "s" unless it is given. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** `512 B`, `1.23 MB`; powers of 1000. */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let scaled = value;
  let unit = 0;
  // 999.5 would be rounded to 1,000.
  for (; scaled >= 999.5 && unit < units.length - 1; unit += 1) scaled /= 1000;
  return `${DECIMAL.format(scaled)} ${units[unit]}`;
}

/** `0.42 s`, `12.3 s`, `2:05 min`, `1:02:05 h`. */
export function duration(seconds: number): string {
  if (seconds < 59.95) return `${DECIMAL.format(Math.round(seconds * 100) / 100)} s`;
  const whole = Math.round(seconds);
  const pad = (value: number) => String(value).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${pad(m)}:${pad(s)} h` : `${m}:${pad(s)} min`;
}

/** `310/s`, `2.5/s`; empty as long as it would be guessing. */
export function rate(done: number, seconds: number): string {
  return done > 0 && seconds >= 0.5 ? `${DECIMAL.format(done / seconds)}/s` : "";
}

/** `2024-03-12T09:30:00Z` of an instant in µs; no fraction where it is a whole second. */
export function instant(at: number): string {
  return new Date(Math.floor(at / 1000)).toISOString().replace(".000Z", "Z");
}

/** Rows with their cells under each other, two spaces apart; `right` names the columns of numbers. */
export function table(
  rows: readonly (readonly string[])[],
  options: { readonly right?: readonly number[]; readonly widths?: readonly number[] } = {},
): string {
  const { right = [], widths = columnWidths(rows) } = options;
  const lines = rows.map((row) =>
    row
      .map((cell, at) => {
        const space = " ".repeat(Math.max(0, (widths[at] ?? 0) - cell.length));
        return right.includes(at) ? space + cell : cell + space;
      })
      .join("  ")
      .trimEnd(),
  );
  return lines.map((line) => `${line}\n`).join("");
}

/** The widest cell of each column; at least as wide as in `before`. */
export function columnWidths(
  rows: readonly (readonly string[])[],
  before: readonly number[] = [],
): readonly number[] {
  const widths = [...before];
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  }
  return widths;
}
