import { describe, expect } from "vitest";
import { address, digest } from "../../src/site.ts";
import { article, intent, livePage, plain, publish } from "./fixtures.ts";
import type { LedgerTest } from "./ledger-contract.ts";

const adopted = (object: string) => ({ object, hash: digest(object), etag: `"${object}"` });
const unknown = { hash: undefined, etag: undefined };
const objectsOf = (all: readonly { readonly object: string }[]) =>
  all.map(({ object }) => object).sort();

export function describeAdopted(test: LedgerTest): void {
  describe("adopted objects", () => {
    test("are listed to the byte, in object order, from one on", async (ledger) => {
      const all = ["B", "a", "a ", "é.html"].map(adopted);
      await ledger.adopt(all.toReversed());
      await ledger.adopt([{ object: "b", ...unknown }]);

      expect((await ledger.adopted(undefined, 2)).map(plain)).toEqual(all.slice(0, 2).map(plain));
      expect(objectsOf(await ledger.adopted("a", 9))).toEqual(["a ", "b", "é.html"]);
      expect(await ledger.adoptedAt(["b", "none"])).toEqual([{ object: "b", ...unknown }]);
    });

    test("the last word on an object counts, and all can be forgotten", async (ledger) => {
      await ledger.adopt([adopted("a"), { ...adopted("a"), etag: '"2"' }]);
      expect((await ledger.adopted(undefined, 9)).map(({ etag }) => etag)).toEqual(['"2"']);

      await ledger.disownAll();

      expect(await ledger.adopted(undefined, 9)).toEqual([]);
    });

    test("are forgotten when an adoption begins, which lets items wait and writes notes", async (ledger) => {
      await ledger.adopt([adopted("a")]);

      await ledger.beginAdoption({ items: ["/*"], notes: { adoption: "begun" } });

      expect(await ledger.adopted(undefined, 9)).toEqual([]);
      expect((await ledger.waiting()).items).toEqual(["/*"]);
      expect([await ledger.hasOutbox(), await ledger.note("adoption")]).toEqual([true, "begun"]);
    });

    test("are a page's once it is confirmed or intended there", async (ledger) => {
      const [one, two] = [livePage(article(1)), livePage(article(2))];
      const objects = [one, two].map(({ route }) => address(route).key);
      await ledger.adopt([...objects, "other"].map(adopted));

      await ledger.intend("publisher", [intent(one)], []);
      expect(objectsOf(await ledger.adopted(undefined, 9))).toEqual([objects[1], "other"].sort());
      await publish(ledger, two);
      expect(objectsOf(await ledger.adopted(undefined, 9))).toEqual(["other"]);
    });

    test("that no page claims retire, but not under a page", async (ledger) => {
      const page = livePage();
      const { key } = address(page.route);
      await publish(ledger, page);
      await ledger.adopt([key, "a", "b"].map(adopted));
      const retired = [key, "a"].map((object) => ({ object, dueAt: 0, isCached: false }));

      await ledger.retireAdopted("publisher", retired);

      expect(objectsOf(await ledger.due(0, undefined, 9))).toEqual(["a"]);
      expect(objectsOf(await ledger.adopted(undefined, 9))).toEqual(["b"]);
    });

    test("retire by the run that holds the ledger only", async (ledger) => {
      await ledger.adopt([adopted("a")]);
      await ledger.claim("other", { release: 0, nowMs: Date.now(), leaseMs: 60_000 });

      await expect(
        ledger.retireAdopted("run", [{ object: "a", dueAt: 0, isCached: false }]),
      ).rejects.toMatchObject({ code: "run_conflict" });
      expect(await ledger.adopted(undefined, 9)).toHaveLength(1);
    });
  });
}
