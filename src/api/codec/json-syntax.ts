/**
 * What Go's JSON scanner says about malformed text; undefined when the text is well-formed. Only for text a parser has refused: it is slow.
 * Upstream rule: Go encoding/json/scanner.go.
 */
export function jsonSyntaxError(text: string): string | undefined {
  try {
    const scanner = new Scanner(text);
    scanner.value('looking for beginning of value');
    scanner.end();
    return undefined;
  } catch (error) {
    if (error instanceof SyntaxProblem) return error.message;
    throw error;
  }
}

class SyntaxProblem extends Error {}

/** Deeper text is refused before it gets here; this only protects the stack. */
const maxDepth = 2000;

class Scanner {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(context: string): void {
    const c = this.#peekAfterSpace();
    if (c === '{') this.#nested(() => this.#object());
    else if (c === '[') this.#nested(() => this.#array());
    else if (c === '"') this.#string();
    else if (c === '-' || (c >= '0' && c <= '9')) this.#number();
    else if (c === 't') this.#literal('true');
    else if (c === 'f') this.#literal('false');
    else if (c === 'n') this.#literal('null');
    else this.#fail(context);
  }

  end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#fail('after top-level value');
  }

  #nested(read: () => void): void {
    if (++this.#depth > maxDepth) throw new SyntaxProblem('exceeded max depth');
    this.#at++;
    read();
    this.#depth--;
  }

  #object(): void {
    if (this.#peekAfterSpace() === '}') {
      this.#at++;
      return;
    }
    for (;;) {
      if (this.#peekAfterSpace() !== '"') this.#fail('looking for beginning of object key string');
      this.#string();
      if (this.#peekAfterSpace() !== ':') this.#fail('after object key');
      this.#at++;
      this.value('looking for beginning of value');
      const c = this.#peekAfterSpace();
      if (c !== ',' && c !== '}') this.#fail('after object key:value pair');
      this.#at++;
      if (c === '}') return;
    }
  }

  #array(): void {
    if (this.#peekAfterSpace() === ']') {
      this.#at++;
      return;
    }
    for (;;) {
      this.value('looking for beginning of value');
      const c = this.#peekAfterSpace();
      if (c !== ',' && c !== ']') this.#fail('after array element');
      this.#at++;
      if (c === ']') return;
    }
  }

  #string(): void {
    this.#at++;
    for (;;) {
      const c = this.#peek();
      if (c === '"') break;
      if (c < ' ') this.#fail('in string literal');
      this.#at++;
      if (c === '\\') this.#escape();
    }
    this.#at++;
  }

  #escape(): void {
    const c = this.#peek();
    if (!'bfnrt\\/"u'.includes(c)) this.#fail('in string escape code');
    this.#at++;
    for (let digits = 0; c === 'u' && digits < 4; digits++) {
      if (!/[0-9a-fA-F]/.test(this.#peek())) this.#fail('in \\u hexadecimal character escape');
      this.#at++;
    }
  }

  #number(): void {
    if (this.#peek() === '-') this.#at++;
    if (!isDigit(this.#peek())) this.#fail('in numeric literal');
    if (this.#peek() === '0') this.#at++;
    else this.#digits();
    if (this.#text[this.#at] === '.') {
      this.#at++;
      if (!isDigit(this.#peek())) this.#fail('after decimal point in numeric literal');
      this.#digits();
    }
    const e = this.#text[this.#at];
    if (e !== 'e' && e !== 'E') return;
    this.#at++;
    if ('+-'.includes(this.#peek())) this.#at++;
    if (!isDigit(this.#peek())) this.#fail('in exponent of numeric literal');
    this.#digits();
  }

  #digits(): void {
    while (isDigit(this.#text[this.#at] ?? '')) this.#at++;
  }

  #literal(word: string): void {
    for (const expected of word) {
      if (this.#peek() !== expected) this.#fail(`in literal ${word} (expecting '${expected}')`);
      this.#at++;
    }
  }

  #skipSpace(): void {
    while (' \t\r\n'.includes(this.#text[this.#at] ?? '\0')) this.#at++;
  }

  #peekAfterSpace(): string {
    this.#skipSpace();
    return this.#peek();
  }

  #peek(): string {
    const c = this.#text[this.#at];
    if (c === undefined) throw new SyntaxProblem('unexpected end of JSON input');
    return c;
  }

  #fail(context: string): never {
    throw new SyntaxProblem(`invalid character ${quoteCharacter(this.#peek())} ${context}`);
  }
}

function isDigit(c: string): boolean {
  return c >= '0' && c <= '9' && c.length === 1;
}

function quoteCharacter(c: string): string {
  if (c === "'") return `'\\''`;
  if (c === '"') return `'"'`;
  // Go shows a byte, not the character it begins.
  const shown = c > '\x7f' ? String.fromCharCode(new TextEncoder().encode(c)[0]!) : c;
  return `'${JSON.stringify(shown).slice(1, -1)}'`;
}
