import type { PlannedStep } from "../events.ts";
import { columnWidths, table } from "./format.ts";
import { plain } from "./terminal.ts";

/** Rows that are aligned together; the plan of a big site is never held as a whole. */
const BLOCK = 500;

/** Prints planned steps as a table (route, action, reason) in blocks. Call `end` after the last. */
export function planTable(write: (text: string) => void): {
  add(step: Pick<PlannedStep, "route" | "action" | "reason">): void;
  end(): void;
} {
  let rows: string[][] = [["Route", "Action", "Reason"]];
  let widths: readonly number[] = [];
  const flush = () => {
    widths = columnWidths(rows, widths);
    write(table(rows, { widths }));
    rows = [];
  };
  let isEmpty = true;
  return {
    add({ route, action, reason }) {
      isEmpty = false;
      rows.push([plain(route), action, plain(reason)]);
      if (rows.length >= BLOCK) flush();
    },
    end() {
      if (!isEmpty) flush();
    },
  };
}
