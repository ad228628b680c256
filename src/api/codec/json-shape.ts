/** What a quick look at JSON text tells, without parsing it. */
export interface JsonShape {
  /** Object keys, duplicates included. */
  readonly keys: number;
  /** How deep objects and arrays are nested. */
  readonly depth: number;
  /** There is a number with a fraction or an exponent. */
  readonly fractions: boolean;
}

const quote = 0x22;
const dot = 0x2e;
const zero = 0x30;
const nine = 0x39;
const backslash = 0x5c;
const colon = 0x3a;
const openArray = 0x5b;
const openObject = 0x7b;
const upperE = 0x45;
const lowerE = 0x65;
const closeArray = 0x5d;
const closeObject = 0x7d;

/**
 * Counts keys and nesting of JSON text; malformed text gives some numbers too. The parser keeps only the last of equal keys, so fewer keys in
 * the parsed value mean that there were duplicates.
 */
export function jsonShape(text: string): JsonShape {
  let keys = 0;
  let depth = 0;
  let deepest = 0;
  let fractions = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === quote) {
      i = endOfString(text, i);
      if (i < 0) break;
    } else if (c === colon) keys++;
    else if (c === openObject || c === openArray) {
      if (++depth > deepest) deepest = depth;
    } else if (c === closeObject || c === closeArray) depth--;
    else if (c === dot || ((c === lowerE || c === upperE) && isDigit(text.charCodeAt(i - 1)))) fractions = true;
  }
  return { keys, depth: deepest, fractions };
}

function isDigit(c: number): boolean {
  return c >= zero && c <= nine;
}

/** The position of the quote that ends the string starting at `start`, or -1. */
export function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === backslash) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return -1;
}
