import { readConfig } from "../src/config.ts";
import type { PlanContext } from "../src/plan/context.ts";
import { tableUses } from "../src/plan/row-state.ts";
import { scanTable } from "../src/plan/scan.ts";
import { tablesOf } from "../src/site.ts";
import { openBuild } from "../src/wiring.ts";
import type { FollowedSite } from "./followed-site.ts";
import { SITE_ARGS } from "./followed-site.ts";
import { cpuSecondsOf } from "./process-cpu.ts";

/** What a scan of one table took that found nothing, in this process and in the server; seconds. */
export interface TableScan {
  readonly table: string;
  readonly rows: number;
  readonly changed: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly serverCpuSeconds: number;
}

/** Scans each table of a built site as a build does. Nothing is kept. */
export async function scanTables(
  { at }: FollowedSite,
  serverPid: number,
): Promise<readonly TableScan[]> {
  const [, config = ""] = SITE_ARGS;
  await using wired = await openBuild(readConfig({ ...at, options: { config } }));
  const { site, source, ledger, making } = wired;
  await using rows = await source.read(Date.now() * 1000);
  // All that a scan asks for as long as every range sums up to what is known.
  const context = { site, rows, ledger, making, run: "none" } as unknown as PlanContext;
  const scans: TableScan[] = [];
  for (const use of tableUses(site, tablesOf(site.kinds))) {
    let count = 0;
    const onRows = (more: number) => {
      count += more;
    };
    const [cpu, serverCpu, beganMs] = [
      process.cpuUsage(),
      cpuSecondsOf(serverPid),
      performance.now(),
    ];
    const changed = await scanTable(use, context, { onRows, trustsSums: true });
    const { user, system } = process.cpuUsage(cpu);
    scans.push({
      table: use.table.name,
      ...{ rows: count, changed },
      seconds: (performance.now() - beganMs) / 1000,
      cpuSeconds: (user + system) / 1e6,
      serverCpuSeconds: cpuSecondsOf(serverPid) - serverCpu,
    });
  }
  return scans;
}
