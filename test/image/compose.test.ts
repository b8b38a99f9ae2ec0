import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { runCli } from "../../src/cli/cli.ts";
import { readConfig } from "../../src/config.ts";
import { fakeIo } from "../cli/fakes.ts";
import { ROOT } from "../cli/nightbake.ts";
import { temporaryFolder } from "../temporary-folder.ts";

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly command?: string | readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly depends_on?: readonly string[] | Readonly<Record<string, { condition: string }>>;
  readonly configs?: readonly { readonly source: string }[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: object;
  readonly read_only?: boolean;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly configs?: Readonly<Record<string, { readonly content: string }>>;
  readonly volumes?: Readonly<Record<string, object>>;
}

const FILES = ["compose.yaml", "test/services/compose.yaml"];

function read(file: string): Compose {
  return parse(readFileSync(join(ROOT, file), "utf8"), { merge: true });
}

const { services, configs = {} } = read("compose.yaml");
const clones = Object.entries(services).filter(([, { build }]) => build !== undefined);

test.each(FILES)(
  "%s names only what it has, pins images, and listens to this machine alone",
  (file) => {
    const { services: all, configs: texts = {}, volumes = {} } = read(file);

    for (const { image, build, ports = [], depends_on: needed = [], ...rest } of Object.values(
      all,
    )) {
      if (build === undefined) expect(image).toMatch(/^[\w/]+:[\w.-]*\d[\w.-]*$/);
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
      const names = Array.isArray(needed) ? needed : Object.keys(needed);
      expect(Object.keys(all)).toEqual(expect.arrayContaining(names));
      for (const { source } of rest.configs ?? []) expect(Object.keys(texts)).toContain(source);
      for (const each of rest.volumes ?? [])
        expect(Object.keys(volumes)).toContain(each.split(":")[0]);
    }
  },
);

test("what has to be healthy first says when it is", () => {
  for (const { depends_on: needed = [] } of Object.values(services)) {
    if (Array.isArray(needed)) continue;
    for (const [name, { condition }] of Object.entries(
      needed as Record<string, { condition: string }>,
    )) {
      if (condition === "service_healthy") expect(services[name]?.healthcheck).toBeDefined();
    }
  }
});

test.each(clones)(
  "%s has settings and a command that are there, and writes to no image",
  async (_, clone) => {
    const { environment = {}, command = [], read_only: isReadOnly } = clone;
    const io = fakeIo();

    const config = readConfig({ env: environment, cwd: temporaryFolder("nightbake-compose-") });
    const code = await runCli([command[0] ?? "", "--help"], io);

    expect(
      Object.keys(environment).filter((name) => config.origins[name] !== "environment"),
    ).toEqual([]);
    expect(code).toBe(0);
    expect(isReadOnly).toBe(true);
  },
);

test("the clones are one serve and two workers, each with a ledger, a store and a queue of all", () => {
  const names = clones.map(([name]) => name);
  expect(names).toEqual(["serve", "worker", "load"]);
  expect(services["worker"]).toMatchObject({ deploy: { replicas: 2 } });
  expect(services["serve"]?.environment).toEqual(services["worker"]?.environment);
  expect(Object.keys(services["serve"]?.environment ?? {})).toEqual(
    expect.arrayContaining(["LEDGER_URL", "S3_BUCKET", "REDIS_URL", "DATABASE_REPLICA_URLS"]),
  );
});

test("every user and schema that a URL names is made", () => {
  const made = configs["users"]?.content ?? "";
  const urls = clones.flatMap(([, { environment = {} }]) => Object.values(environment));

  for (const url of urls.filter((each) => each.startsWith("mysql:")).map((each) => new URL(each))) {
    expect(made).toContain(`CREATE USER ${url.username} IDENTIFIED BY '${url.password}';`);
    expect(made).toContain(`CREATE DATABASE ${url.pathname.slice(1)};`);
    expect(Object.keys(services)).toContain(url.hostname);
  }
});
