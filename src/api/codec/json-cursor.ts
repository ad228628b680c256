import { endOfString } from './json-shape.ts';

export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';

const bareToken = /[^\s,:[\]{}"]+/y;

/** Walks over JSON text that is known to be well-formed, without building values. */
export class JsonCursor {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#space();
  }

  /** The kind of the value the cursor stands before. */
  kind(): JsonKind {
    switch (this.#text[this.#at]) {
      case '{':
        return 'object';
      case '[':
        return 'array';
      case '"':
        return 'string';
      case 't':
      case 'f':
        return 'boolean';
      case 'n':
        return 'null';
      default:
        return 'number';
    }
  }

  /** Passes the value and returns its text. */
  skip(): string {
    const start = this.#at;
    const kind = this.kind();
    if (kind === 'object') this.eachKey(() => this.skip());
    else if (kind === 'array') this.eachItem(() => this.skip());
    else this.#token();
    const end = this.#at;
    this.#space();
    return this.#text.slice(start, end).trimEnd();
  }

  /** Calls back for every key of an object; the callback must pass the key's value. */
  eachKey(visit: (key: string) => void): void {
    this.#each('}', () => {
      const key = JSON.parse(this.#token()) as string;
      this.#space();
      this.#punctuation();
      visit(key);
    });
  }

  /** Calls back for every item of an array; the callback must pass the item. */
  eachItem(visit: (index: number) => void): void {
    let index = 0;
    this.#each(']', () => visit(index++));
  }

  #each(close: string, visit: () => void): void {
    this.#punctuation();
    while (this.#text[this.#at] !== close) {
      visit();
      if (this.#text[this.#at] === ',') this.#punctuation();
    }
    this.#punctuation();
  }

  /** Passes one of `{}[],:` and the space after it. */
  #punctuation(): void {
    this.#at++;
    this.#space();
  }

  #token(): string {
    const start = this.#at;
    if (this.#text[start] === '"') this.#at = endOfString(this.#text, start) + 1;
    else {
      bareToken.lastIndex = start;
      this.#at += bareToken.exec(this.#text)?.[0].length ?? 0;
    }
    if (this.#at <= start) throw new Error('the JSON text is not well-formed');
    return this.#text.slice(start, this.#at);
  }

  #space(): void {
    while (' \t\r\n'.includes(this.#text[this.#at] ?? '\0')) this.#at++;
  }
}
