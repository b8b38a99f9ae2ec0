declare module "commonmark-spec" {
  interface Example {
    readonly markdown: string;
    readonly html: string;
    readonly number: number;
  }
  const spec: { readonly tests: readonly Example[] };
  export = spec;
}
