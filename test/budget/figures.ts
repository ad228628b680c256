import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const budgets = JSON.parse(readFileSync('budgets.json', 'utf8')) as Readonly<Record<string, { max: number; what: string }>>;

/** A busy machine, as those that run tests often are, may take this many times as long. CPU time and bytes get no such grace. */
const busyMachineTimeFactor = 2;
/** One program's memory reads this much higher or lower from run to run: over the budget is printed as missed, beyond this the test fails. */
const memoryNoiseFactor = 1.03;

interface Figure {
  readonly name: string;
  readonly measured: number;
  readonly limit: number;
  readonly note: string;
}

/** Measured values beside what budgets.json allows. */
export class Figures {
  readonly #figures: Figure[] = [];
  readonly #remarks: string[] = [];

  /** `note` says what else is worth knowing, e.g. the single runs behind a median. */
  add(name: string, measured: number, note = ''): void {
    const budget = budgets[name];
    assert.ok(budget, `budgets.json has no ${name}`);
    this.#figures.push({ name, measured, limit: budget.max * graceOf(name), note });
  }

  /** A line below the table: a measurement without a budget, or why one is missing. */
  remark(text: string): void {
    this.#remarks.push(text);
  }

  print(): void {
    for (const { name, measured, note } of this.#figures) {
      const { max, what } = budgets[name]!;
      const verdict = measured > max ? `, MISSED by ${shown(measured - max)}` : '';
      console.log(`${name}: measured ${shown(measured)}, budget ${max}${verdict}  (${what}${note ? `; ${note}` : ''})`);
    }
    for (const remark of this.#remarks) console.log(remark);
  }

  /** Fails with the names of all that are over their limit. */
  check(): void {
    const missed = this.#figures.filter(({ measured, limit }) => !(measured <= limit));
    assert.deepEqual(
      missed.map(({ name, measured, limit }) => `${name}: ${shown(measured)} instead of ${limit}`),
      [],
    );
  }
}

function graceOf(name: string): number {
  if (/Seconds$/.test(name)) return busyMachineTimeFactor;
  return /Pss/.test(name) ? memoryNoiseFactor : 1;
}

const shown = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));
