import { lookup } from '../../lib/lookup.ts';
import { badRequest, type StatusError } from '../status-error.ts';
import type { LabelOperator, LabelRequirement } from './label-selector.ts';

type TokenKind = 'word' | 'symbol' | 'end';

interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

const end: Token = { kind: 'end', text: '' };
const symbols = ['==', '!=', '=', '!', '(', ')', ',', '>', '<'];
const specialCharacters = /[=!(),<>]/y;
const wordPattern = /[^=!(),<>\s]+/y;
const operators: Readonly<Record<string, LabelOperator>> = lookup({
  '=': '=',
  '==': '==',
  '!=': '!=',
  '>': 'gt',
  '<': 'lt',
  in: 'in',
  notin: 'notin',
});
const operatorNames = 'in, notin, =, ==, !=, gt, lt';

/** Reads the requirements of a selector's text, without judging keys and values. The words of its errors are upstream's. */
export class LabelSelectorParser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokensOf(text);
  }

  parse(): LabelRequirement[] {
    const found: LabelRequirement[] = [];
    for (;;) {
      const token = this.#peek();
      if (token.kind === 'end') break;
      if (token.kind === 'symbol' && token.text !== '!') throw unexpected(token, "!, identifier, or 'end of string'");
      found.push(this.#requirement());
      const next = this.#next();
      if (next.kind === 'end') break;
      if (next.text !== ',' || next.kind !== 'symbol') throw unexpected(next, "',' or 'end of string'");
      const after = this.#peek();
      if (after.kind !== 'word' && after.text !== '!') throw unexpected(after, "identifier after ','");
    }
    return found.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }

  #requirement(): LabelRequirement {
    const isNegated = isSymbol(this.#peek(), '!');
    if (isNegated) this.#next();
    const key = this.#word('identifier');
    const follow = this.#peek();
    if (isNegated) return { key, operator: '!', values: [] };
    if (follow.kind === 'end' || isSymbol(follow, ',')) return { key, operator: 'exists', values: [] };
    const operator = operators[this.#next().text];
    if (!operator || !Object.hasOwn(operators, follow.text)) throw wrapped(`found '${follow.text}', expected: ${operatorNames}`);
    const values = operator === 'in' || operator === 'notin' ? this.#values() : [this.#exactValue()];
    return { key, operator, values: [...new Set(values)].sort() };
  }

  /** `(a,b)`; empty places stand for the empty value. */
  #values(): string[] {
    const open = this.#next();
    if (!isSymbol(open, '(')) throw wrapped(`found '${open.text}' expected: '('`);
    const values: string[] = [];
    for (;;) {
      const token = this.#peek();
      values.push(token.kind === 'word' ? this.#next().text : '');
      const separator = this.#next();
      if (isSymbol(separator, ')')) return values;
      if (!isSymbol(separator, ',')) {
        throw wrapped(`found '${separator.text}', expected: ${token.kind === 'word' ? "',' or ')'" : "',', ')' or identifier"}`);
      }
    }
  }

  #exactValue(): string {
    const token = this.#peek();
    if (token.kind === 'end' || isSymbol(token, ',')) return '';
    return this.#word('identifier');
  }

  #word(expected: string): string {
    const token = this.#next();
    if (token.kind !== 'word') throw wrapped(`found '${token.text}', expected: ${expected}`);
    return token.text;
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? end;
  }

  #next(): Token {
    return this.#tokens[this.#at++] ?? end;
  }
}

function isSymbol(token: Token, text: string): boolean {
  return token.kind === 'symbol' && token.text === text;
}

function unexpected(token: Token, expected: string): StatusError {
  return badRequest(`found '${token.text}', expected: ${expected}`);
}

/** Errors inside a requirement, which upstream's parser wraps once. */
function wrapped(problem: string): StatusError {
  return badRequest(`unable to parse requirement: ${problem}`);
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at]!)) {
      at++;
      continue;
    }
    specialCharacters.lastIndex = at;
    wordPattern.lastIndex = at;
    const symbol = specialCharacters.test(text) ? symbols.find((s) => text.startsWith(s, at)) : undefined;
    const token: Token =
      symbol === undefined ? { kind: 'word', text: wordPattern.exec(text)![0] } : { kind: 'symbol', text: symbol };
    tokens.push(token);
    at += token.text.length;
  }
  return tokens;
}
