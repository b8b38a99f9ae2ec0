/** What names of columns usually mean. A guess is written down with its reason, for somebody to look at. */

/** Never shown, and no page is guessed for their table. */
export const SECRET = /passw|secret|token|(^|_)(salt|session|otp|pin)(_|$)|(api|private)_?key/i;
/** About a person; left out of pages. */
export const PERSONAL = /e?mail|phone|mobile|birth|(^|_)ip(_|$)|(^|_)address|iban|ssn|credit/i;

export const SLUG = /^(.*_)?(slug|permalink|handle|url_key|path_alias)$/i;
export const TITLE = /^(title|name|headline|subject|display_?name|label|heading)$/i;
export const BODY = /^(.*_)?(body|content|text|markdown|md|description|bio)(_md|_markdown)?$/i;

export const STATUS = /^(status|state|visibility)$/i;
/** Values of a status that mean that anybody may see the row; the first that fits is taken. */
export const VISIBLE_VALUES = ["published", "public", "live", "visible", "active", "publish"];
export const SHOWN_FLAG = /^(is_)?(published|public|visible|active|enabled|live)$/i;
export const HIDDEN_FLAG = /^(is_)?(draft|hidden|deleted|archived|private|disabled|spam)$/i;
export const DELETED_AT = /^(deleted|removed|archived|trashed)_(at|on)$/i;

export const FROM = /^(published|publish|live|visible)_(at|on|date|from)$/i;
export const UNTIL =
  /^(expires|expired|expire|unpublish|unpublished|visible_until|ends)(_(at|on))?$/i;
export const CREATED = /^(created|posted|added|inserted)(_(at|on|date))?$/i;
export const UPDATED = /^(updated|modified|changed|edited)(_(at|on|date))?$/i;
