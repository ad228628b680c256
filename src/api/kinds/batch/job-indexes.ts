import type { FieldError } from '../../field-error.ts';
import { invalid } from '../../validation/errors.ts';

interface IndexList {
  /** The field's name in messages. */
  readonly name: string;
  readonly completions: number;
}

/** `1,3-5,7`: answers how many indexes that are; 0 when it cannot be read. */
export function checkIndexes(errors: FieldError[], field: string, text: string, { name, completions }: IndexList): number {
  let total = 0;
  let last = -1;
  for (const interval of text === '' ? [] : text.split(',')) {
    const problem = intervalProblem(interval, completions) ?? orderProblem(interval, last);
    if (problem) {
      errors.push(invalid(field, text, `error parsing ${name}: ${problem}`));
      return 0;
    }
    const [from, to] = rangeOf(interval);
    total += to - from + 1;
    last = to;
  }
  return total;
}

/** The lowest index that is in both lists; undefined when there is none. What cannot be read is left out. */
export function overlap(one: string, other: string, completions: number): number | undefined {
  const [first, second] = [one, other].map((text) =>
    text.split(',').flatMap((interval) => (intervalProblem(interval, completions) ? [] : [rangeOf(interval)])),
  );
  for (const [from, to] of first ?? []) {
    for (const [start, end] of second ?? []) if (from <= end && start <= to) return Math.max(from, start);
  }
  return undefined;
}

function rangeOf(interval: string): [number, number] {
  const [from = 0, to = from] = interval.split('-').map(Number);
  return [from, to];
}

function intervalProblem(text: string, completions: number): string | undefined {
  const parts = text.split('-');
  if (parts.length > 2) {
    return `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`;
  }
  for (const part of parts) {
    if (!/^[+-]?\d+$/.test(part)) return `cannot convert string to integer for index: ${JSON.stringify(part)}`;
    if (Number(part) >= completions) return `too large index: ${JSON.stringify(part)}`;
  }
  const [from = 0, to] = parts.map(Number);
  return to !== undefined && from >= to ? `non-increasing order, previous: ${from}, current: ${to}` : undefined;
}

function orderProblem(text: string, last: number): string | undefined {
  const [from] = rangeOf(text);
  return last >= from ? `non-increasing order, previous: ${last}, current: ${from}` : undefined;
}
