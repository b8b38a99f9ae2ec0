/** Why a value does not fit its column: `holds text`. The row's error makes it a sentence. */
export class Flaw extends Error {}
