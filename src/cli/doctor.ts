import type { Diagnosis, State, Told } from "../doctor.ts";
import { COMMON, type Command, configOf } from "./command.ts";
import { counted } from "./format.ts";
import { plain, type Terminal } from "./terminal.ts";

/** `nightbake doctor` */
export const doctorCommand: Command = {
  name: "doctor",
  summary: "Looks at databases, store and CDN, and says what is wrong with each and what to do.",
  details:
    "Databases: version, grants, time zone, sql_mode, packet size, binary log, clock, tables, collations, and the plan\n" +
    "of every statement that builds run, on the primary and on each replica; and how soon a replica has what the\n" +
    "primary committed. The store: access, conditions, versions, tried with an object that is deleted again. The\n" +
    "distribution: index documents, folder, cache tags, error pages (needs cloudfront:GetDistributionConfig). Nothing else is written.\n\n" +
    "A warning is what works today and may hurt; a problem is what does not work. A statement that is printed is for\n" +
    "you to run. Exit code 1 when anything is a problem.",
  positionals: [],
  options: {
    follow: { says: "Counts as problems what only `nightbake follow` needs." },
    ...COMMON,
  },
  examples: [
    { line: "doctor", says: "all that is set" },
    { line: "doctor --json", says: "each finding as one line, for a program" },
  ],
  async run(args, io) {
    // Imported late: the adapters take longer to load than `--help` to print.
    const [{ openPatient }, { diagnose }] = await Promise.all([
      import("../wiring-patient.ts"),
      import("../doctor.ts"),
    ]);
    const config = configOf(args, io);
    await using patient = await openPatient(config, { isFollowing: args.has("follow") });
    const counts: Record<State, number> = { ok: 0, warning: 0, problem: 0, unknown: 0 };
    let place = "";
    for await (const told of diagnose(patient)) {
      io.signal.throwIfAborted();
      counts[told.state] += 1;
      if (args.has("json")) io.out.write(`${JSON.stringify({ event: "finding", ...told })}\n`);
      else io.out.write((told.place === place ? "" : heading(told, io.out)) + line(told, io.out));
      place = told.place;
    }
    if (args.has("json")) io.out.write(`${JSON.stringify({ event: "diagnosed", ...counts })}\n`);
    else io.out.write(`\n${summary(counts)}\n`);
    return counts.problem > 0 ? 1 : 0;
  },
};

function heading({ place }: Told, out: Terminal): string {
  return `\n${out.paint("bold", plain(place))}\n`;
}

const STYLES = { ok: "green", warning: "yellow", problem: "red", unknown: "dim" } as const;

function line({ state, check, about, message, remedy }: Told, out: Terminal): string {
  const mark = out.paint(STYLES[state], state.padEnd(8));
  const what = about === undefined ? check : `${check}, ${about}`;
  const todo = remedy === undefined ? "" : `            ${plain(remedy)}\n`;
  return `  ${mark}  ${plain(what)}: ${plain(message)}\n${todo}`;
}

function summary({ problem, warning, unknown, ok }: Diagnosis): string {
  const parts = [counted(problem, "problem"), counted(warning, "warning")];
  return `${parts.join(", ")}, ${unknown} not looked at, ${ok} ok.`;
}
