declare module "markdown-it-footnote" {
  import type { MarkdownIt } from "markdown-it";

  const plugin: (md: MarkdownIt) => void;
  export = plugin;
}

declare module "markdown-it-task-lists" {
  import type { MarkdownIt } from "markdown-it";

  const plugin: (md: MarkdownIt, options?: { readonly label?: boolean }) => void;
  export = plugin;
}
