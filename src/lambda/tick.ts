import type { Context } from "./event.ts";
import { once } from "./once.ts";
import { readSettings } from "./settings.ts";

const open = once(async () => {
  const { openSchedule } = await import("../wiring-schedule.ts");
  return await openSchedule(await readSettings());
});

export async function tickEvent(_context: Context): Promise<void> {
  await open();
}
