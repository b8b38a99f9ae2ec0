import type { BatchAnswer, Context, QueueEvent } from "./event.ts";
import { once } from "./once.ts";
import { readSettings } from "./settings.ts";

const open = once(async () => {
  const { openWork } = await import("../wiring.ts");
  return await openWork(await readSettings());
});

export async function helpEvent({ Records }: QueueEvent, _context: Context): Promise<BatchAnswer> {
  await open();
  return { batchItemFailures: Records.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}
