import { type ConfigData, HtmlValidate, StaticConfigLoader } from "html-validate";

const STRICT: ConfigData = {
  extends: ["html-validate:standard", "html-validate:document", "html-validate:a11y"],
  rules: {
    // Titles are the authors'; how much of one a search engine shows is theirs to weigh.
    "long-title": "off",
    "require-sri": ["error", { target: "crossorigin" }],
  },
};

/** Advice, no rule of HTML: where an author's body skips a heading level or labels nothing. */
const ADVICE = { "heading-level": "off", "wcag/h30": "off", "wcag/h63": "off" } as const;

/** Checks pages that hold no body from the database. */
export const strict = validator(STRICT);
/** Checks articles, whose bodies are authors' own. */
export const lenient = validator({ ...STRICT, rules: { ...STRICT.rules, ...ADVICE } });

/** Line, column, rule and message of everything wrong in `html`. */
export function htmlErrors(validate: HtmlValidate, html: string): readonly string[] {
  const { results } = validate.validateStringSync(html);
  return results.flatMap(({ messages }) =>
    messages.map(({ line, column, ruleId, message }) => `${line}:${column} ${ruleId}: ${message}`),
  );
}

/** Html-validate works its rules out for each string anew; once is enough, a quarter quicker. */
function validator(config: ConfigData): HtmlValidate {
  const loader = new StaticConfigLoader(config);
  const resolved = loader.getConfigFor("");
  loader.getConfigFor = () => resolved;
  return new HtmlValidate(loader);
}
