import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { temporary } from "../cli/fakes.ts";
import { nightbake, started } from "../cli/nightbake.ts";
import { mariaDbAt } from "../services/mariadb.ts";
import { randomFrom } from "../services/random.ts";
import { describeWith } from "../services/requires.ts";
import { sharedMariaDb } from "../services/shared.ts";
import { DEMO, DEMO_ROWS, endClaim, says, servedFiles } from "./command.ts";

const TIME = { timeout: 600_000 };
/** `npm run test:kill` asks for more. */
const KILLS = process.env["KILL"] === undefined ? 1 : 20;

describeWith("shared-mariadb", "A follower that is killed", () => {
  test("loses nothing at whatever moment, and stops when it is asked to", TIME, async () => {
    const seed = Date.now() % 1_000_000;
    console.log(`Seed ${seed}`);
    const random = randomFrom(seed);
    const [cwd, scratch] = [temporary(), temporary()];
    const url = await (await sharedMariaDb()).createDatabase();
    const file = join(cwd, ".nightbake", "ledger.db");
    const around = { cwd, env: { DATABASE_URL: url } };
    const database = mariaDbAt(url);
    await nightbake(["load", DEMO_ROWS, ...DEMO], around);
    const ids = (await database.query<{ id: number }>("SELECT id FROM articles")).map(
      ({ id }) => id,
    );
    const edit = (times: number) =>
      Promise.all(
        Array.from({ length: times }, async (_, at) => {
          const values = [`Title ${random()}`, ids[Math.floor(random() * ids.length)]];
          if (at === 0) await database.query("DELETE FROM activities ORDER BY id LIMIT 1");
          // More rows than an editor's transaction has: they go in slices.
          if (at === 1)
            await database.query("UPDATE articles SET title = CONCAT(title, '.') LIMIT 120");
          await database.query("UPDATE articles SET title = ? WHERE id = ?", values);
        }),
      );
    const follow = async () => {
      const following = started(["follow", "--json", ...DEMO], around);
      await says(following.child, "is followed from");
      return following;
    };

    for (let kill = 0; kill < KILLS; kill += 1) {
      const { child, ended } = await follow();
      await edit(8);
      await sleep(random() * 300);
      child.kill("SIGKILL");
      await ended;
      endClaim(file);
      await edit(3);
    }
    const { child, ended } = await follow();
    const last = "The last edit of all";
    await database.query("UPDATE articles SET title = ? WHERE id = ?", [last, 1]);
    await using ledger = await openSqliteLedger(file);
    const isPublished = async () =>
      [...servedFiles(join(cwd, "dist")).values()].some((each) => each.includes(last)) &&
      (await ledger.told(1)).length === 0;
    while (!(await isPublished())) await sleep(25);
    child.kill("SIGTERM");

    expect((await ended).code).toBe(0);
    await nightbake(["build", ...DEMO], { cwd: scratch, env: around.env });
    expect(servedFiles(join(cwd, "dist"))).toEqual(servedFiles(join(scratch, "dist")));
  });
});
