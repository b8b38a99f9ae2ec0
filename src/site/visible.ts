import type { Instant } from "./columns.ts";
import type { Visible } from "./list.ts";
import type { Row } from "./table.ts";

/** The columns that decide whether a row may be seen. */
export function visibleColumns(visible: Visible): readonly string[] {
  const { show = {}, from, until } = visible;
  return [...Object.keys(show), ...[from, until].filter((each) => each !== undefined)];
}

/** Whether readers may see the row at `now`; the same answer as the source's SQL gives. */
export function isVisible(visible: Visible, row: Row, now: Instant): boolean {
  const { show = {}, from, until } = visible;
  if (Object.entries(show).some(([column, value]) => row[column] !== value)) return false;
  if (from !== undefined && !(isInstant(row[from]) && row[from] <= now)) return false;
  return until === undefined || row[until] === null || (isInstant(row[until]) && row[until] > now);
}

function isInstant(value: unknown): value is Instant {
  return typeof value === "number";
}
