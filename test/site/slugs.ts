/** Slugs of articles, and what a browser requests for them. */
export const SLUGS: readonly (readonly [slug: string, viewerPath: string])[] = [
  ["hello-world", "/articles/hello-world/"],
  ["v10.14.0", "/articles/v10.14.0/"],
  ["2024/a-b", "/articles/2024/a-b/"],
  ["x%e2%80%8a", "/articles/x%25e2%2580%258a/"],
  ["124062", "/articles/124062/"],
  ["Upper", "/articles/Upper/"],
  ["a+b*c", "/articles/a%2Bb%2Ac/"],
  ["it's (here)!", "/articles/it%27s%20%28here%29%21/"],
  ["日本", "/articles/%E6%97%A5%E6%9C%AC/"],
  ["a?b#c", "/articles/a%3Fb%23c/"],
  ["guide/", "/articles/guide/"],
];
