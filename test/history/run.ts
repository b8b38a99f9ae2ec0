import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Sums } from "./check.ts";
import { checkHistories, renderedShare } from "./property.ts";

const HELP = `Lives through random histories in chunks, each with a seed of its own, and goes on where it stopped.

  npm run test:histories -- [--histories N] [--steps N] [--seed N] [--chunk N] [--state FILE]

  --histories  how many in all (default 20000)
  --steps      of each (default 30)
  --seed       of the first chunk; the next ones count on from there (default 1)
  --chunk      histories between two notes in the state file (default 20)
  --state      where its progress is kept (default histories.state, below the working folder)

A counter-example is printed, shrunk, and ends the run with 1; started again it tries that chunk again.
`;

const { values } = parseArgs({
  options: {
    histories: { type: "string", default: "20000" },
    steps: { type: "string", default: "30" },
    seed: { type: "string", default: "1" },
    chunk: { type: "string", default: "20" },
    state: { type: "string", default: "histories.state" },
    help: { type: "boolean", default: false },
  },
});

/** What a state file holds; another `steps` or `seed` than it names is refused. */
interface State {
  readonly seed: number;
  readonly steps: number;
  readonly chunks: number;
  readonly seconds: number;
  readonly sums: Sums;
}

async function main(): Promise<number> {
  const [histories, chunk] = [Number(values.histories), Number(values.chunk)];
  let state = openState(values.state, { seed: Number(values.seed), steps: Number(values.steps) });
  while (state.sums.histories < histories) {
    state = await liveChunk(state, Math.min(chunk, histories - state.sums.histories));
    writeFileSync(`${values.state}.new`, `${JSON.stringify(state)}\n`);
    renameSync(`${values.state}.new`, values.state);
    console.info(line(state));
  }
  console.info(`done: ${line(state)}`);
  return renderedShare(state.sums) <= 1.05 ? 0 : 1;
}

async function liveChunk(state: State, histories: number): Promise<State> {
  const begunMs = performance.now();
  const seed = state.seed + state.chunks;
  const sums = await checkHistories({ histories, steps: state.steps, seed });
  const seconds = state.seconds + (performance.now() - begunMs) / 1000;
  return { ...state, chunks: state.chunks + 1, seconds, sums: added(state.sums, sums) };
}

function openState(file: string, asked: Pick<State, "seed" | "steps">): State {
  const sums = { histories: 0, steps: 0, compared: 0, rendered: 0, changed: 0, failing: 0 };
  if (!existsSync(file)) return { ...asked, chunks: 0, seconds: 0, sums };
  const state = JSON.parse(readFileSync(file, "utf8")) as State;
  if (state.seed === asked.seed && state.steps === asked.steps) return state;
  throw new Error(`${file} is of seed ${state.seed} and ${state.steps} steps.`);
}

function added(a: Sums, b: Sums): Sums {
  const names = Object.keys(a) as (keyof Sums)[];
  return Object.fromEntries(names.map((name) => [name, a[name] + b[name]])) as unknown as Sums;
}

function line({ seed, chunks, seconds, sums }: State): string {
  const { histories, steps, compared, rendered, changed, failing } = sums;
  const share = renderedShare(sums).toFixed(3);
  return (
    `${histories} histories, ${steps} steps (pages failed after ${failing}), ${compared} comparisons, ` +
    `rendered ${rendered} for ${changed} changed (${share}), seeds ${seed}-${seed + chunks - 1}, ${Math.round(seconds)} s`
  );
}

if (values.help) console.info(HELP);
else process.exitCode = await main();
