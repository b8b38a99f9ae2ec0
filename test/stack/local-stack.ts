import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../services/random.ts";
import { type Delivering, deliver } from "./deliver.ts";
import { type LocalFunction, localFunction } from "./environment.ts";
import { openLocalQueues } from "./local-queues.ts";
import { resolver } from "./resolve.ts";
import { ofType, type Template } from "./template.ts";

export interface LocalOptions extends Pick<Delivering, "twice" | "heldMs"> {
  /** As packaged. */
  readonly template: Template;
  /** Where the bundle is. */
  readonly folder: string;
  /** In place of what the template says: servers of the test. Each new environment asks. */
  readonly env: () => Readonly<Record<string, string>>;
  readonly random: Random;
  /** In place of the hour and a half after which SQS gives a message to somebody again. */
  readonly visibleSeconds: number;
  /** Between two ticks, in place of a minute. */
  readonly tickMs: number;
  /** A line that a function logs, and the function's name. */
  readonly onLog: (line: string, name: string) => void;
}

/** A packaged stack that runs here: its queues, its functions and what calls them. */
export interface LocalStack extends AsyncDisposable {
  /** Calls a function, as API Gateway does. */
  invoke(name: string, event: unknown): Promise<unknown>;
  /** Texts of a queue's messages that wait, by the queue's resource: `EditorQueue`. */
  waiting(queue: string): readonly string[];
  /** Anybody may send anything. */
  send(queue: string, text: string): void;
  /** How often each function was called so far, by name. */
  readonly calls: ReadonlyMap<string, number>;
  /** Kills the next invocation of a function that lasts for so long (ms); fulfilled when it was. */
  killLater(name: string, afterMs: number): Promise<void>;
}

/** fauxqs' own. */
const PLACE = { region: "us-east-1", account: "000000000000" };

/**
 * Starts what the template describes: its queues, its functions, for each event source mapping somebody
 * who takes messages and calls the function, and a clock that calls `tick`.
 */
export async function startLocalStack(options: LocalOptions): Promise<LocalStack> {
  const { template, random, twice, heldMs } = options;
  await using parts = new AsyncDisposableStack();
  const resolve = resolver(template, PLACE);
  const queues = parts.use(await openLocalQueues(template, { resolve, ...options }));
  const functions = functionsOf(options, { resolve, origin: queues.origin, parts });
  const { invoke, calls, killLater } = calling(functions);
  const stop = new AbortController();
  const { signal } = stop;
  const loops = mappingsOf(template, resolve).map(({ queue, name, most }) =>
    deliver(queues.at(queue), {
      ...{ most, signal, random, twice, heldMs },
      call: (event) => invoke(name, event),
    }),
  );
  loops.push(tickUntil(signal, options.tickMs, () => invoke("tick", {})));
  const open = parts.move();
  return {
    ...{ invoke, calls, killLater, waiting: queues.waiting, send: queues.send },
    async [Symbol.asyncDispose]() {
      stop.abort();
      // Those that still run are nobody's any more.
      await Promise.all([...functions.values()].map((each) => each[Symbol.asyncDispose]()));
      await Promise.all(loops);
      await open.disposeAsync();
    },
  };
}

type Resolve = ReturnType<typeof resolver>;

interface Described {
  readonly Handler: string;
  readonly Timeout: number;
  readonly Environment: { readonly Variables: Readonly<Record<string, string>> };
}

/** The template's functions by the name that the bundle has for them. */
function functionsOf(
  { template, folder, env, onLog }: LocalOptions,
  {
    resolve,
    origin,
    parts,
  }: {
    readonly resolve: Resolve;
    readonly origin: string;
    readonly parts: AsyncDisposableStack;
  },
): ReadonlyMap<string, LocalFunction> {
  const functions = ofType(template, "AWS::Lambda::Function").map(([, { Properties }]) => {
    const { Handler, Timeout, Environment } = resolve(Properties) as Described;
    const name = Handler.split(".").at(-1) ?? "";
    const { SQS_QUEUE_URL: queues = "", ...given } = textsOf(Environment.Variables);
    const own = { ...given, SQS_QUEUE_URL: origin + new URL(queues).pathname };
    const local = localFunction({
      ...{ name, folder, timeoutMs: Timeout * 1000 },
      env: () => ({ ...own, ...env() }),
      onLog: (line) => onLog(line, name),
    });
    return [name, parts.use(local)] as const;
  });
  return new Map(functions);
}

function textsOf(variables: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).map(([key, value]) => [key, String(value)]));
}

function calling(functions: ReadonlyMap<string, LocalFunction>) {
  const calls = new Map<string, number>();
  const deaths = new Map<string, { readonly afterMs: number; readonly onKilled: () => void }>();
  return {
    calls,
    killLater: (name: string, afterMs: number) =>
      new Promise<void>((onKilled) => deaths.set(name, { afterMs, onKilled })),
    async invoke(name: string, event: unknown): Promise<unknown> {
      const local = functions.get(name);
      if (local === undefined) throw new Error(`There is no function ${name}.`);
      calls.set(name, (calls.get(name) ?? 0) + 1);
      const { answer, kill } = local.invoke(event);
      const death = deaths.get(name);
      const die = () => {
        if (!deaths.delete(name)) return;
        kill();
        death?.onKilled();
      };
      const timer = death && setTimeout(die, death.afterMs);
      return await answer.finally(() => clearTimeout(timer));
    },
  };
}

interface Mapping {
  readonly EventSourceArn: string;
  readonly BatchSize: number;
  readonly FunctionResponseTypes: readonly string[];
  readonly ScalingConfig: { readonly MaximumConcurrency: number };
}

function mappingsOf(template: Template, resolve: Resolve) {
  return ofType(template, "AWS::Lambda::EventSourceMapping").map(([, { Properties = {} }]) => {
    const { EventSourceArn, BatchSize, ...rest } = resolve(Properties) as Mapping;
    if (BatchSize !== 1 || !rest.FunctionResponseTypes.includes("ReportBatchItemFailures")) {
      throw new Error("Here messages are delivered one by one, and answers are read.");
    }
    const [id = ""] = (Properties["FunctionName"] as { "Fn::GetAtt": readonly string[] })[
      "Fn::GetAtt"
    ];
    const name = String(template.Resources[id]?.Properties?.["Handler"]).split(".").at(-1) ?? "";
    const queue = EventSourceArn.split(":").at(-1) ?? "";
    return { queue, name, most: Number(rest.ScalingConfig.MaximumConcurrency) };
  });
}

async function tickUntil(signal: AbortSignal, ms: number, tick: () => Promise<unknown>) {
  while (!signal.aborted) {
    // The next one does what this one left.
    await tick().catch(() => undefined);
    await sleep(ms, undefined, { signal }).catch(() => undefined);
  }
}
