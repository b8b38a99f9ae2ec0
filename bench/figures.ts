import type { Cost } from "./measured.ts";

/** What is measured, in order. */
export const STEPS = ["load", "cold", "no-op", "one title"] as const;
export type StepName = (typeof STEPS)[number];

/** One step of one run. */
export interface Figure extends Cost {
  readonly mode: string;
  readonly run: number;
  readonly step: StepName;
  /** Pages looked at, rendered and put; rows for a load. */
  readonly candidates: number;
  readonly rendered: number;
  readonly changed: number;
  /** Bytes put. */
  readonly bytes: number;
  /** Of the machine over the last minute, before the step. */
  readonly loadAverage: number;
}

const MB = 1024 * 1024;
const HEAD = [
  "mode",
  "step",
  "runs",
  "wall s",
  "CPU s",
  "peak MB",
  "per s",
  "looked at : rendered : put",
  "load",
];

/** The figures as a table: medians, and least to most where runs differ. */
export function table(figures: readonly Figure[]): string {
  const groups = Map.groupBy(figures, ({ mode, step }) => `${mode}\t${step}`);
  const rows = [...groups].map(([name, group]) => {
    const column = (value: (figure: Figure) => number, digits: number) =>
      spread(group.map(value), digits);
    const [first] = group;
    return [
      ...name.split("\t"),
      String(group.length),
      column(({ wallSeconds }) => wallSeconds, 2),
      column(({ cpuSeconds }) => cpuSeconds, 2),
      column(({ peakBytes }) => peakBytes / MB, 0),
      column(({ changed, wallSeconds }) => changed / wallSeconds, 0),
      `${first?.candidates} : ${first?.rendered} : ${first?.changed}`,
      column(({ loadAverage }) => loadAverage, 1),
    ];
  });
  return aligned([HEAD, ...rows]);
}

/** `3.10 (2.95-3.40)`, the median first. */
function spread(values: readonly number[], digits: number): string {
  const sorted = values.toSorted((a, b) => a - b).map((value) => value.toFixed(digits));
  const middle = sorted[Math.floor(sorted.length / 2)] ?? "";
  const [least, most] = [sorted[0], sorted.at(-1)];
  return least === most ? middle : `${middle} (${least}-${most})`;
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = HEAD.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  "));
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}
