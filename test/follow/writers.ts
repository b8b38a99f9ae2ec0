import { setTimeout as sleep } from "node:timers/promises";
import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { type Dice, diceFrom } from "../race/dice.ts";
import { IDS, leaveInOrder, pickWork, type Session, STATEMENTS } from "./transactions.ts";

/** Longest pause of a writer, ms; of the one who changes whole tables it is longer. */
const PAUSE_MS = 60;
const LONG_PAUSE_MS = 3_000;
/** Nobody can tell whether a transaction that ends so was committed; both are well. */
const PASSING =
  /^(ECONN|EPIPE|ETIMEDOUT|PROTOCOL_|ER_LOCK_|ER_CON_COUNT|ER_SERVER_SHUTDOWN|ER_NO_SUCH_TABLE|ER_CONNECTION_KILLED|ER_QUERY_INTERRUPTED|ER_TABLE_DEF_CHANGED|ER_DUP_ENTRY)/;

/** How long writers write, and whether somebody has had enough. */
export interface Writing {
  readonly seed: number;
  readonly ms: number;
  readonly signal: AbortSignal;
}

/**
 * Lets three editors and one who changes whole tables write; gives the number of their transactions.
 * The articles they write to become fewer, so that what is lost on the way is not mended by the next edit.
 */
export async function write(url: string, { seed, ms, signal }: Writing): Promise<number> {
  const beganMs = performance.now();
  const left = () => 1 - (performance.now() - beganMs) / ms;
  const isOver = () => signal.aborted || left() <= 0;
  const inSomeOrder = IDS.map((id) => (id * 7 + seed) % IDS.length).map((at) => IDS[at] ?? 1);
  const editors = [1, 2, 3].map(async (each) => {
    const dice = diceFrom(seed * 10 + each);
    return await until(isOver, dice, PAUSE_MS, () => {
      const draw = { ...dice, ids: inSomeOrder.slice(0, 1 + Math.floor(left() * IDS.length)) };
      return transaction(url, (session) => pickWork(dice)(session, draw));
    });
  });
  const dice = diceFrom(seed * 10);
  const operator = until(isOver, dice, LONG_PAUSE_MS, () => inOrder(url, dice.pick(STATEMENTS)));
  return (await Promise.all([...editors, operator])).reduce((sum, count) => sum + count, 0);
}

/** The last transaction of all; gives its position. */
export async function finish(url: string): Promise<string> {
  await using connection = await createConnection({ uri: url, charset: "utf8mb4_bin" });
  await connection.beginTransaction();
  await leaveInOrder(sessionOn(connection));
  await connection.commit();
  return `mariadb:${await sessionOn(connection).ask("SELECT @@last_gtid")}`;
}

async function until(
  isOver: () => boolean,
  dice: Dice,
  pauseMs: number,
  work: () => Promise<boolean>,
): Promise<number> {
  let done = 0;
  while (!isOver()) {
    if (await work()) done += 1;
    await sleep(dice.between(0, pauseMs));
  }
  return done;
}

/** False when it was cut off or refused. */
async function transaction(url: string, work: (session: Session) => Promise<void>) {
  return await attempt(url, async (connection) => {
    await connection.beginTransaction();
    await work(sessionOn(connection));
    await connection.commit();
  });
}

async function inOrder(url: string, statements: readonly string[]): Promise<boolean> {
  return await attempt(url, async (connection) => {
    for (const each of statements) await connection.query(each);
  });
}

async function attempt(url: string, work: (connection: Connection) => Promise<void>) {
  let connection: Connection | undefined;
  try {
    connection = await createConnection({ uri: url, charset: "utf8mb4_bin" });
    // What a dying server does to it is told by the statement.
    connection.on("error", () => {});
    await work(connection);
    return true;
  } catch (error) {
    if (PASSING.test(String((error as NodeJS.ErrnoException).code))) return false;
    throw error;
  } finally {
    connection?.destroy();
  }
}

function sessionOn(connection: Connection): Session {
  return {
    run: async (sql, ...values) => void (await connection.query(sql, values)),
    async ask(sql, ...values) {
      const [rows] = await connection.query<RowDataPacket[][]>({ sql, values, rowsAsArray: true });
      return rows[0]?.[0];
    },
  };
}
