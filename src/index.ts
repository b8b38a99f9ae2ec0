/** What a site definition imports: `import { defineSite, table, … } from "nightbake"`. */
export { PipelineError } from "./error.ts";
export type { Caching } from "./site/caching.ts";
export * from "./site/columns.ts";
export * from "./site/define.ts";
export * from "./site/list.ts";
export * from "./site/page.ts";
export * from "./site/read.ts";
export * from "./site/route.ts";
export * from "./site/table.ts";
