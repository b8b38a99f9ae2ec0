import type { Checked, Finding, VerifyOptions } from "../../src/verify.ts";
import { verify } from "../../src/verify.ts";
import { openSmall } from "../pipeline/small-site.ts";
import type { World } from "../pipeline/world.ts";

/** One check of a world's store; gives what was counted, and findings as `flaw object`. */
export async function verifying(
  world: World,
  options: Partial<VerifyOptions> = {},
): Promise<Checked & { readonly told: readonly string[]; readonly findings: readonly Finding[] }> {
  await using wired = await openSmall(world.site, { ledger: "ledger.db", store: world.store });
  const findings: Finding[] = [];
  const checked = await verify(wired, {
    sample: Number.POSITIVE_INFINITY,
    signal: new AbortController().signal,
    emit: () => {},
    onFindings: (some) => void findings.push(...some),
    ...options,
  });
  const told = findings.map(({ flaw, object }) => `${flaw} ${object}`).sort();
  return { ...checked, told, findings };
}
