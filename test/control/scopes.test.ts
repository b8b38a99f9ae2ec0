import { expect, test } from "vitest";
import { SCOPES } from "../../src/control/token.ts";
import { type Served, served } from "./served.ts";

const named = { rows: ["article:42"] };
const everything = { everything: true };

/** Every route, with what a token must be for: all of these. */
const REQUESTS = [
  { is: ["POST", "/v1/rebuilds"], body: named, needs: ["rebuild"] },
  { is: ["POST", "/v1/rebuilds"], body: { kinds: ["article"] }, needs: ["rebuild"] },
  { is: ["POST", "/v1/rebuilds"], body: everything, needs: ["build"] },
  {
    is: ["POST", "/v1/rebuilds"],
    body: { ...named, lane: "takedown" },
    needs: ["rebuild", "takedown"],
  },
  {
    is: ["POST", "/v1/rebuilds"],
    body: { ...everything, lane: "takedown" },
    needs: ["build", "takedown"],
  },
  { is: ["GET", "/v1/jobs"], needs: ["read"] },
  { is: ["GET", "/v1/jobs/REBUILD"], needs: ["read"] },
  { is: ["GET", "/v1/jobs/REBUILD/events"], needs: ["read"] },
  { is: ["POST", "/v1/jobs/REBUILD/cancel"], needs: ["rebuild"] },
  { is: ["POST", "/v1/jobs/BUILD/cancel"], needs: ["build"] },
  { is: ["POST", "/v1/jobs/TAKEDOWN/cancel"], needs: ["rebuild", "takedown"] },
  { is: ["GET", "/metrics"], needs: ["metrics"] },
  { is: ["GET", "/health/live"], needs: [] },
  { is: ["GET", "/health/ready"], needs: [] },
] as const;

const SUBSETS = Array.from({ length: 2 ** SCOPES.length }, (_, bits) =>
  SCOPES.filter((_, at) => (bits >> at) & 1),
);

/** Jobs that have ended, so that their streams do, too. */
async function endedJobs({ jobs }: Served) {
  const works = {
    REBUILD: { work: { is: "rebuild", targets: ["article:1"] }, lane: "editor" },
    BUILD: { work: { is: "build" }, lane: "nightly" },
    TAKEDOWN: { work: { is: "rebuild", targets: ["article:1"] }, lane: "takedown" },
  } as const;
  const ids: Record<string, string> = {};
  for (const [name, request] of Object.entries(works)) {
    ids[name] = (await jobs.submit(request)).job.id;
    await jobs.cancel(ids[name] ?? "");
  }
  return (path: string) => path.replace(/[A-Z]+/, (name) => ids[name] ?? name);
}

test("each request is answered to tokens that have its scopes, and to no other", async () => {
  await using api = await served();
  const pathOf = await endedJobs(api);
  const wrong: unknown[] = [];

  for (const scopes of SUBSETS) {
    const token = await api.token(...scopes);
    for (const { is, needs, ...request } of REQUESTS) {
      const body = "body" in request ? request.body : undefined;
      const response = await api.ask(is[0], pathOf(is[1]), { token, body });
      const text = await response.text();
      const isAllowed = needs.every((each) => (scopes as readonly string[]).includes(each));
      const isRight = isAllowed ? response.status < 300 : response.status === 403;
      if (!isRight) wrong.push([is, body, scopes, response.status, text]);
      if (!isAllowed) expect(JSON.parse(text)).toMatchObject({ code: "scope_missing" });
    }
  }

  expect(wrong).toEqual([]);
});

test("whoever has no good token is refused alike, and may ask for health alone", async () => {
  await using api = await served();
  const pathOf = await endedJobs(api);
  const revoked = await api.token(...SCOPES);
  const [{ name = "" } = {}] = await api.ledger.tokens();
  await api.ledger.revokeToken(name, 1);
  const headers = [
    {},
    { authorization: "" },
    { authorization: `Bearer ${revoked}` },
    { authorization: `Bearer nbt_${"a".repeat(43)}` },
    { authorization: `Bearer ${revoked}x` },
    { authorization: revoked },
    { authorization: `Basic ${btoa(`x:${revoked}`)}` },
    { cookie: `authorization=Bearer ${revoked}` },
  ];

  const answers = new Set<string>();
  for (const each of headers) {
    for (const { is, needs, ...request } of REQUESTS) {
      const body = "body" in request ? request.body : undefined;
      const response = await api.ask(is[0], pathOf(is[1]), { headers: each, body });
      const text = await response.text();
      if (needs.length === 0) expect(response.status).toBe(200);
      else answers.add(text.replace(/urn:nightbake:request:[0-9a-f-]+/, ""));
    }
  }

  // The first sixty of an address are told why, all others that they are too many.
  const codes = [...answers].map((each) => JSON.parse(each).code);
  expect(new Set(codes)).toEqual(new Set(["credential_rejected", "rate_limited"]));
  expect(codes.filter((each) => each === "credential_rejected")).toHaveLength(1);
});
