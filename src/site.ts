/** The words of the pipeline, as types; each stage imports them from here. */
export * from "./site/caching.ts";
export * from "./site/columns.ts";
export * from "./site/define.ts";
export * from "./site/digest.ts";
export * from "./site/key.ts";
export * from "./site/list.ts";
export * from "./site/own-tag.ts";
export * from "./site/page.ts";
export * from "./site/read.ts";
export * from "./site/redirect.ts";
export * from "./site/route.ts";
export * from "./site/table.ts";
export * from "./site/uses.ts";
export * from "./site/visible.ts";
export * from "./site/words.ts";
