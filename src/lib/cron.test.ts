import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCron } from './cron.ts';

const at = (text: string): number => Date.parse(text);

describe('cron', () => {
  for (const [schedule, after, zone, expected] of [
    ['*/5 * * * *', '2026-01-01T00:00:00Z', 'UTC', '2026-01-01T00:05:00Z'],
    ['0 3 * * *', '2026-01-01T03:00:00Z', 'UTC', '2026-01-02T03:00:00Z'],
    ['30 9-17/4 * * mon-fri', '2026-01-02T18:00:00Z', 'UTC', '2026-01-05T09:30:00Z'],
    ['0 0 13 * 5', '2026-01-01T00:00:00Z', 'UTC', '2026-01-02T00:00:00Z'],
    ['0 0 29 2 *', '2026-01-01T00:00:00Z', 'UTC', '2028-02-29T00:00:00Z'],
    ['0 12 * * *', '2026-07-01T00:00:00Z', 'Europe/Berlin', '2026-07-01T10:00:00Z'],
    ['30 2 * * *', '2026-03-28T12:00:00Z', 'Europe/Berlin', '2026-03-30T00:30:00Z'],
    ['15 0 * * *', '2026-03-28T12:00:00Z', 'Europe/Berlin', '2026-03-28T23:15:00Z'],
    ['@hourly', '2026-01-01T00:59:59Z', 'UTC', '2026-01-01T01:00:00Z'],
    ['@every 90m', '2026-01-01T00:00:00Z', 'UTC', '2026-01-01T01:30:00Z'],
    ['0 0 * * 7', '2026-01-01T00:00:00Z', 'UTC', '2026-01-04T00:00:00Z'],
  ] as const) {
    it(`${schedule} after ${after} in ${zone}`, () => {
      assert.equal(new Date(parseCron(schedule).next(at(after), zone) ?? 0).toISOString(), new Date(expected).toISOString());
    });
  }

  it('knows what never comes', () => assert.equal(parseCron('0 0 30 2 *').next(0, 'UTC'), undefined));

  for (const schedule of ['', '* * * *', '60 * * * *', '* * * * mos', '5-1 * * * *', '*/0 * * * *', '@every x']) {
    it(`${JSON.stringify(schedule)} is refused`, () => assert.throws(() => parseCron(schedule)));
  }
});
