import { expect, test } from "vitest";
import { openS3Store } from "../../src/publish/s3-store.ts";
import type { ObjectStore } from "../../src/publish/store.ts";
import type { Artifact } from "../../src/site.ts";
import { firstRows, nextRows } from "../kill/story.ts";
import { later } from "../pipeline/later.ts";
import { DAY } from "../pipeline/rows.ts";
import { differences, served, shown } from "../pipeline/small-site.ts";
import { smallWorld } from "../pipeline/world.ts";
import { describeWith } from "../services/requires.ts";
import { startS3Front } from "../services/s3-front.ts";
import { sharedRadosgw } from "../services/shared.ts";
import { expectClear } from "./clear.ts";
import { MIXES } from "./mixes.ts";
import { turnOn } from "./turn-on.ts";

const SEED = Number(process.env["SEED"] ?? 1);
const SEEDS = [SEED, SEED + 1, SEED + 2];
const EVERYTHING = ["everything", "a storm"];

describeWith("shared-radosgw", "S3 that keeps conditions and signatures, and fails", () => {
  test.each(
    MIXES.filter(({ name }) => EVERYTHING.includes(name)).flatMap((mix) =>
      SEEDS.map((seed) => ({ name: mix.name, mix, seed })),
    ),
  )(
    "with $name, seed $seed, a build ends exact, or says why not and the next one does",
    async ({ mix, seed }) => {
      const server = await sharedRadosgw();
      await using front = await startS3Front(server);
      const bucket = await server.createBucket();
      const { endpoint, region, accessKeyId, secretAccessKey } = front;
      const credentials = { accessKeyId, secretAccessKey };
      await using store = openS3Store({ endpoint, region, bucket, credentials });
      await using world = await smallWorld(0, { wrap: () => store });
      firstRows(world);
      await world.bake();
      await nextRows(world);
      const faults = turnOn({ s3: front.faults }, mix, seed);

      const end = await world.bake().catch((error: unknown) => error);

      const count = faults.turnOff();
      console.info(`${mix.name}, seed ${seed}: ${count} faults`);
      if (end instanceof Error) expectClear(end, `seed ${seed}`);
      // Replaced assets have gone by then.
      world.now += 2 * DAY;
      await world.bake({}, later);
      expect(differences(await objectsIn(store), await world.scratch())).toEqual([]);
    },
  );
});

/** All that is served, as text by key. */
async function objectsIn(store: ObjectStore): Promise<Readonly<Record<string, string>>> {
  const objects = new Map<string, Artifact>();
  for await (const { key } of store.list("")) {
    const object = await store.get(key);
    const hash = Buffer.alloc(0);
    if (object !== undefined) objects.set(key, { key, hash, ...object } as Artifact);
  }
  return shown(served(objects));
}
