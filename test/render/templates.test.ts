import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PipelineError } from "../../src/error.ts";
import { loadAssets } from "../../src/render/assets.ts";
import { SafeHtml } from "../../src/render/safe-html.ts";
import { loadTemplates, type Templates } from "../../src/render/templates.ts";

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "nightbake-templates-"));
});

afterEach(async () => {
  await rm(dir, { recursive: true });
});

/** Writes files and loads the templates among them; assets are below `assets/`. */
async function load(files: Readonly<Record<string, string>>, names: string[] = []) {
  for (const [name, text] of Object.entries(files)) {
    const file = join(dir, name.startsWith("assets/") ? name : `templates/${name}.eta`);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  const assets = await loadAssets(join(dir, "assets"));
  return loadTemplates({ dir: join(dir, "templates"), assets, names });
}

async function renderOne(source: string, data: Record<string, unknown> = {}): Promise<string> {
  return (await load({ page: source })).render("page", data);
}

async function problemsOf(loading: Promise<Templates>): Promise<readonly string[]> {
  const error = await loading.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!(error instanceof PipelineError))
    throw new Error("expected a PipelineError", { cause: error });
  return error.problems.map(({ place, message }) => `${place} ${message}`);
}

describe("printing", () => {
  test("escapes the five characters in text and attributes", async () => {
    const html = await renderOne(`<a title="<%= it.text %>"><%= it.text %></a>`, { text: `&<>"'` });

    expect(html).toBe(`<a title="&amp;&lt;&gt;&quot;&#39;">&amp;&lt;&gt;&quot;&#39;</a>`);
  });

  test("never lets text end its place", async () => {
    const templates = await load({ page: `<p title="<%= it.text %>"><%= it.text %></p>` });

    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(templates.render("page", { text }).match(/[<>"]/g)).toHaveLength(6);
      }),
    );
  });

  test("takes numbers of both kinds", async () => {
    expect(await renderOne("<%= it.a %> <%= it.b %>", { a: 0.5, b: 10n })).toBe("0.5 10");
  });

  test.each([undefined, null, true, {}, [], Symbol.iterator])("refuses %o", async (value) => {
    await expect(renderOne("<%= it.value %>", { value })).rejects.toThrow(/only text and numbers/);
  });

  test("prints sanitised HTML as it is", async () => {
    expect(await renderOne("<%~ it.body %>", { body: SafeHtml.vouch("<b>&</b>") })).toBe(
      "<b>&</b>",
    );
  });

  test.each(["<b>", new String("<b>"), { html: "<b>" }, undefined, null])(
    "refuses %o where sanitised HTML belongs",
    async (body) => {
      await expect(renderOne("<%~ it.body %>", { body })).rejects.toMatchObject({
        code: "template_failed",
        at: { template: "page.eta", line: "1" },
      });
    },
  );

  test("refuses raw text that was made in the template", async () => {
    await expect(renderOne('<%~ "<" + it.tag + ">" %>', { tag: "b" })).rejects.toThrow(/sanitised/);
  });
});

describe("partials and layouts", () => {
  test("share the data, with additions that go no further", async () => {
    const templates = await load({
      page: `<% layout("base", { title: "T" }) %><%~ include("part", { b: 2 }) %><%= it.a %>`,
      part: `[<%= it.a %><%= it.b %>]`,
      base: `<%= it.title %>:<%~ it.body %>`,
    });

    expect(templates.render("page", { a: 1 })).toBe("T:[12]1");
  });

  test("escape in every file", async () => {
    const templates = await load({ page: `<%~ include("part") %>`, part: `<%= it.a %>` });

    expect(templates.render("page", { a: "<" })).toBe("&lt;");
  });

  test("name the innermost file and line of an error", async () => {
    const templates = await load({ page: `\n<%~ include("part") %>`, part: `\n\n<%= it.a.b %>` });

    const rendering = () => templates.render("page", {});

    expect(rendering).toThrow(
      expect.objectContaining({
        at: { template: "part.eta", line: "3" },
        cause: expect.any(TypeError),
      }),
    );
  });

  test("that include themselves without end fail as a page", async () => {
    const templates = await load({ page: `<%~ include("page") %>` });

    expect(() => templates.render("page", {})).toThrow(PipelineError);
  });
});

describe("helpers", () => {
  test.each([
    ["date(it.at)", "2024-03-12"],
    ["time(it.at)", "2024-03-12T09:30:05Z"],
    ["longDate(it.at)", "12 March 2024"],
    ["clock(it.at)", "09:30"],
    ["href('/a b/é/')", "/a%20b/%C3%A9/"],
    ["url('/é/')", "https://example.com/%C3%A9/"],
    ["plain('one  two\\nthree', 9)", "one two…"],
    ["Math.max(1, 2)", "2"],
  ])("%s is %s", async (code, text) => {
    const at = Date.UTC(2024, 2, 12, 9, 30, 5, 999) * 1000 + 999;

    const html = await renderOne(`<%= ${code} %>`, { at, site: { origin: "https://example.com" } });

    expect(html).toBe(text);
  });

  test("asset() is the address of a file under its hashed name", async () => {
    const templates = await load({ "assets/style.css": "a{}", page: `<%= asset("style.css") %>` });

    expect(templates.render("page", {})).toMatch(/^\/assets\/style\.[0-9a-f]{10}\.css$/);
  });
});

describe("purity", () => {
  test.each([
    "new Date()",
    "Date.now()",
    "Math.random()",
    "process.pid",
    "globalThis.x",
    "global.x",
    "require('fs')",
    "fetch('/')",
    "setTimeout(() => 1)",
    "setImmediate(() => 1)",
    "queueMicrotask(() => 1)",
    "new Intl.NumberFormat()",
    "performance.now()",
    "crypto.randomUUID()",
    "console.log(1)",
    "eval('1')",
    "new Function('return 1')",
    "Buffer.from('')",
    "new URL('http://a')",
    "navigator.language",
    "Atomics.load",
    "new WeakRef({})",
    "structuredClone(1)",
    "WebAssembly.compile",
    "Reflect.ownKeys",
    "Symbol.iterator.x.y",
    "this.x",
    "Math.x = 1",
    "undeclared = 1",
  ])("%s fails", async (code) => {
    await expect(renderOne(`<% const value = ${code} %>`)).rejects.toMatchObject({
      code: "template_failed",
    });
  });

  test.each([
    `<%= "".constructor %>`,
    `<% import("node:fs") %>`,
    `<%= it.at.toLocaleString() %>`,
    `<%= "a".localeCompare("b") %>`,
    `<% Array.prototype.x = 1 %>`,
    `<% $$out = "" %>`,
  ])("%s is refused when loaded", async (source) => {
    expect(await problemsOf(load({ page: source }))).toEqual([
      expect.stringMatching(/^page\.eta:1 /),
    ]);
  });

  test("equal data give equal text, however often and in whatever order", async () => {
    const templates = await load({
      page: `<% let n = 0; for (const a of it.all) n += a -%><%= n %>`,
    });

    const first = templates.render("page", { all: [1, 2] });
    templates.render("page", { all: [3] });

    expect(templates.render("page", { all: [1, 2] })).toBe(first);
  });

  test("reads no file after loading", async () => {
    const templates = await load({ page: `<%~ include("part") %>`, part: "x" });
    await rm(join(dir, "templates"), { recursive: true });

    expect(templates.render("page", {})).toBe("x");
  });
});

describe("loading", () => {
  test("reports every problem at once, with file and line", async () => {
    const problems = await problemsOf(
      load(
        {
          a: `\n<%~ include(it.part) %>`,
          b: `<%= asset("none.css") %><%~ include("none") %>`,
          c: `\n\n<% if (true) { %>`,
          d: `\n<%= 1; 2 %>`,
          e: `<% const f = include %>`,
          f: `x\n<%= open`,
          g: `<a href=<%= it.href %>>`,
          h: `\n\n<% const x = ; %>\n`,
          i: `<% asset(\`x\`) %>`,
        },
        ["a", "absent"],
      ),
    );

    expect(problems).toEqual([
      expect.stringMatching(/^absent\.eta /),
      "a.eta:2 include() needs a literal name.",
      'b.eta There is no template "none".',
      'b.eta There is no asset "none.css".',
      expect.stringMatching(/^c\.eta:\d+ Its code cannot be compiled/),
      expect.stringMatching(/^d\.eta:2 What is printed is no expression/),
      "e.eta:1 include() needs a literal name.",
      expect.stringMatching(/^f\.eta:2 .*unclosed tag/),
      "g.eta:1 An attribute value needs quotes around it.",
      expect.stringMatching(/^h\.eta:3 Its code cannot be compiled/),
      "i.eta:1 asset() needs a literal name.",
    ]);
  });

  test("takes names in strings, comments and members for what they are", async () => {
    const source = `<% /* include(x) */ const a = "asset(x)"; // layout(x)\n%><%= it.layout + a.length %>`;

    expect(await renderOne(source, { layout: 1 })).toBe("9");
  });

  test("refuses at run time a name that the check could not see", async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the template holds it.
    const hidden = "<% const f = `it's ${include('pa' + 'rt')} isn't` %>";

    await expect(
      load({ page: hidden, part: "x" }).then((all) => all.render("page", {})),
    ).rejects.toThrow(PipelineError);
  });

  test("an unknown template is named with those that exist", async () => {
    const templates = await load({ page: "x" });

    expect(() => templates.render("pgae", {})).toThrow(
      expect.objectContaining({ hint: "Name one of: page." }),
    );
  });
});

describe("fingerprints", () => {
  const files = {
    page: `<% layout("base") %><%~ include("part") %>`,
    base: `<%= asset("style.css") %><%~ it.body %>`,
    part: `<%~ include("inner") %>`,
    inner: "x",
    other: `<%= asset("other.css") %>`,
    "assets/style.css": "a{}",
    "assets/other.css": "b{}",
  };

  test.each(["page", "base", "part", "inner", "assets/style.css"] as const)(
    "change with %s",
    async (name) => {
      const before = (await load(files)).fingerprint("page");

      const after = (await load({ ...files, [name]: `${files[name]} ` })).fingerprint("page");

      expect(after).not.toEqual(before);
    },
  );

  test.each(["other", "assets/other.css"] as const)("do not change with %s", async (name) => {
    const before = (await load(files)).fingerprint("page");

    const after = (await load({ ...files, [name]: `${files[name]} ` })).fingerprint("page");

    expect(after).toEqual(before);
  });

  test("differ between templates and hold 16 bytes", async () => {
    const templates = await load({ a: "x", b: "x" });

    expect(templates.fingerprint("a")).toHaveLength(16);
    expect(templates.fingerprint("a")).not.toEqual(templates.fingerprint("b"));
  });
});
