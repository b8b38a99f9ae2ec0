import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  inputDigest,
  markBaked,
  markForeign,
  markLoading,
  sourceState,
} from "../../src/cli/baked.ts";
import { readConfig } from "../../src/config.ts";
import { temporary } from "./fakes.ts";

/** A site with one file of rows. `sourceFile` is not made. */
function site() {
  const config = readConfig({ env: {}, cwd: temporary() });
  mkdirSync(join(config.contentDir, "data"), { recursive: true });
  const rows = join(config.contentDir, "data", "articles.ndjson");
  writeFileSync(rows, '{"id":1}\n');
  const load = () => {
    mkdirSync(config.home, { recursive: true });
    writeFileSync(config.sourceFile, "");
  };
  return { config, rows, load };
}

describe("the embedded source", () => {
  test("is stale when it is not there, whatever the marker says", () => {
    const { config } = site();
    markLoading(config);
    markBaked(config, "digest");

    expect(sourceState(config, "digest")).toBe("stale");
  });

  test("is fresh after bake has filled it from the same input", () => {
    const { config, load } = site();
    load();
    markBaked(config, "digest");

    expect(sourceState(config, "digest")).toBe("fresh");
    expect(sourceState(config, "other")).toBe("stale");
  });

  test("is stale after a load by bake that was cut off", () => {
    const { config, load } = site();
    markLoading(config);
    load();

    expect(sourceState(config, "digest")).toBe("stale");
  });

  test("is foreign without a marker, and after the user has loaded", () => {
    const { config, load } = site();
    load();
    const before = sourceState(config, "digest");
    markBaked(config, "digest");
    markForeign(config);

    expect([before, sourceState(config, "digest")]).toEqual(["foreign", "foreign"]);
  });
});

describe("a load by the user that fails", () => {
  test("leaves the source bake's own", () => {
    const { config, load } = site();
    load();
    markBaked(config, "digest");

    markForeign(config)();

    expect(sourceState(config, "digest")).toBe("fresh");
  });

  test("leaves no source that would pass for the user's", () => {
    const { config, load } = site();

    const unmark = markForeign(config);
    load();
    unmark();

    expect(sourceState(config, "digest")).toBe("stale");
  });
});

describe("the digest of the input", () => {
  test("is the same for the same rows and definition in another folder", async () => {
    expect(await inputDigest(site().config)).toBe(await inputDigest(site().config));
  });

  test("is another for other rows, another name or another definition", async () => {
    const { config, rows } = site();
    const digests = [await inputDigest(config)];

    writeFileSync(rows, '{"id":2}\n');
    digests.push(await inputDigest(config));
    writeFileSync(join(config.contentDir, "data", "users.ndjson"), "");
    digests.push(await inputDigest(config));
    writeFileSync(config.configFile, "export default {}");
    digests.push(await inputDigest(config));

    expect(new Set(digests).size).toBe(4);
  });
});
