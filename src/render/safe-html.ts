/**
 * HTML that the scanner proved safe; only such values may go raw into a template, which can tell
 * them by `instanceof`.
 */
export class SafeHtml {
  readonly html: string;

  private constructor(html: string) {
    this.html = html;
  }

  /** Vouches for `html` without a check. For src/render only: a call anywhere else is a hole. */
  static vouch(html: string): SafeHtml {
    return new SafeHtml(html);
  }

  /** The HTML itself. */
  toString(): string {
    return this.html;
  }
}

/** A place in a body whose HTML depends on which routes exist. */
export interface Slot {
  /** Routes in order of preference, each with the HTML to use when it exists. */
  readonly choices: readonly (readonly [route: string, html: string])[];
  /** The HTML when none exists. */
  readonly otherwise: string;
}

/**
 * A body after Markdown and sanitising, before its site-internal references are settled.
 * Plain data, so it may be kept as JSON; whoever can write where it is kept can write pages.
 */
export interface Body {
  /** Every route the body refers to, decoded, e.g. `/tags/café/`; distinct, by UTF-16 code unit. */
  readonly links: readonly string[];
  /** Safe HTML with slots between. */
  readonly parts: readonly (string | Slot)[];
  /** True when it holds relative addresses, so that it is another body on another page. */
  readonly isPlaced: boolean;
}

/** Makes a body of its parts: joins those that touch and gathers the links. */
export function bodyOf(pieces: Body["parts"], isPlaced: boolean): Body {
  const links = new Set<string>();
  const parts: (string | Slot)[] = [];
  let text = "";
  for (const piece of pieces) {
    if (typeof piece === "string") text += piece;
    else {
      for (const [route] of piece.choices) links.add(route);
      if (text !== "") parts.push(text);
      parts.push(piece);
      text = "";
    }
  }
  if (text !== "") parts.push(text);
  return { links: [...links].sort(), parts, isPlaced };
}

/**
 * Settles references: those whose route exists stay (in canonical form, see `encodeRoute`), a
 * link to any other becomes its text and an image its alternative text. `exists` is asked for
 * members of `body.links` only, often more than once.
 */
export function settleLinks(body: Body, exists: (route: string) => boolean): SafeHtml {
  let html = "";
  for (const part of body.parts) {
    html += typeof part === "string" ? part : settle(part, exists);
  }
  return SafeHtml.vouch(html);
}

function settle(slot: Slot, exists: (route: string) => boolean): string {
  for (const [route, html] of slot.choices) if (exists(route)) return html;
  return slot.otherwise;
}
