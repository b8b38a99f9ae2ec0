import { parseArgs } from "node:util";
import { besides, costTables } from "./cost-tables.ts";

const HELP = `What a site costs on AWS, by the formulas and assumptions of docs/reference/costs.md (bench/cost-model.ts).

  node bench/costs.ts [--pages 10000,1000000] [--changed 0.01]
`;

const { values } = parseArgs({
  options: {
    pages: { type: "string", default: "10000,1000000,10000000" },
    changed: { type: "string", default: "0.01" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) process.stdout.write(HELP);
else {
  const sizes = values.pages.split(",").map(Number);
  const tables = [...costTables(sizes, Number(values.changed)).values(), besides()];
  process.stdout.write(`${tables.join("\n\n")}\n`);
}
