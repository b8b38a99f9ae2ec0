import type { RunEvent } from "../events.ts";
import type { Io } from "./command.ts";
import { errorRecord, errorText } from "./errors.ts";
import { plain } from "./terminal.ts";

/** Says what the schedule tells beside other work, in lines or as JSON. */
export function scheduleTeller(io: Io, isJson: boolean): (event: RunEvent) => void {
  return (event) => {
    if (event.event === "note") {
      if (isJson) io.out.write(`${JSON.stringify(event)}\n`);
      else io.err.write(`${plain(event.message)}\n`);
    }
    if (event.event !== "warning") return;
    const error = errorRecord(event.error, { isVerbose: false });
    if (isJson) io.out.write(`${JSON.stringify({ ...event, error })}\n`);
    else io.err.write(errorText(error, io.err));
  };
}
