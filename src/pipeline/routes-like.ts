import type { Wired } from "./run.ts";

/** Live pages that a route is compared with to find the one that was meant. */
const MAX_NEAR = 5000;

/** Routes of live pages that begin like this one; of each kind the first few thousand. */
export async function routesLike(
  route: string,
  { site, ledger }: Pick<Wired, "site" | "ledger">,
): Promise<readonly string[]> {
  const routes: string[] = [];
  for (const { name } of site.kinds) {
    const pages = await ledger.live(name, undefined, MAX_NEAR);
    routes.push(...pages.map((page) => page.route));
  }
  return routes.filter((each) => each[1] === route[1] || each.length < 3);
}
