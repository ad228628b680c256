/** A cron schedule: which minutes, hours, days, months and weekdays match. */
export interface CronSchedule {
  /** The first matching minute strictly after `afterMs`, in the wall-clock time of `timeZone` (the machine's own when absent); undefined: never. */
  next(afterMs: number, timeZone?: string): number | undefined;
}

const minuteMs = 60_000;
const hourMs = 3_600_000;
/** A schedule that matches nothing for this long (30 February) never does. */
const horizonMs = 5 * 366 * 24 * hourMs;

const macros: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

interface Fields {
  readonly minute: ReadonlySet<number>;
  readonly hour: ReadonlySet<number>;
  readonly day: ReadonlySet<number>;
  readonly month: ReadonlySet<number>;
  readonly weekday: ReadonlySet<number>;
  /** When both are restricted a day matches if either does. */
  readonly anyDay: boolean;
  readonly anyWeekday: boolean;
}

/** Reads five fields or a macro (`@daily`, `@every 1h30m`). Throws an error for a person when it is neither. */
export function parseCron(text: string): CronSchedule {
  const every = /^@every\s+(.+)$/.exec(text.trim());
  if (every) return everySchedule(every[1]!, text);
  const parts = (macros[text.trim()] ?? text.trim()).split(/\s+/);
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = parts;
  if (parts.length !== 5) throw new Error(`a schedule has five fields (minute hour day month weekday): ${text}`);
  const fields: Fields = {
    minute: parseField(minute, { low: 0, high: 59, text }),
    hour: parseField(hour, { low: 0, high: 23, text }),
    day: parseField(day, { low: 1, high: 31, text }),
    month: parseField(month, { low: 1, high: 12, names: monthNames, offset: 1, text }),
    weekday: new Set([...parseField(weekday, { low: 0, high: 7, names: dayNames, offset: 0, text })].map((n) => n % 7)),
    anyDay: /^[*?]/.test(day),
    anyWeekday: /^[*?]/.test(weekday),
  };
  return { next: (afterMs, timeZone) => nextMatch(fields, afterMs, timeZone) };
}

function everySchedule(duration: string, text: string): CronSchedule {
  const units: Readonly<Record<string, number>> = { h: hourMs, m: minuteMs, s: 1000 };
  if (!/^(?:\d+[hms])+$/.test(duration)) throw new Error(`@every needs a duration such as 1h30m: ${text}`);
  const periodMs = [...duration.matchAll(/(\d+)([hms])/g)].reduce((sum, [, n, unit]) => sum + Number(n) * units[unit!]!, 0);
  return { next: (afterMs) => Math.floor(afterMs / 1000) * 1000 + Math.max(1000, periodMs) };
}

function parseField(
  field: string,
  range: { low: number; high: number; names?: readonly string[]; offset?: number; text: string },
): Set<number> {
  const values = new Set<number>();
  const fail = (): never => {
    throw new Error(`the field ${field} of the schedule ${range.text} is not understood`);
  };
  const number = (word: string): number => {
    const named = range.names?.indexOf(word.toLowerCase()) ?? -1;
    const value = named >= 0 ? named + (range.offset ?? 0) : /^\d+$/.test(word) ? Number(word) : Number.NaN;
    return value >= range.low && value <= range.high ? value : fail();
  };
  for (const part of field.split(',')) {
    const [span = '', stepText, ...more] = part.split('/');
    const step = stepText === undefined ? 1 : Number(stepText);
    if (more.length > 0 || !Number.isInteger(step) || step < 1) fail();
    const [from = '', to, ...rest] = span.split('-');
    if (rest.length > 0) fail();
    const isAny = span === '*' || span === '?';
    const start = isAny ? range.low : number(from);
    const end = isAny ? range.high : to !== undefined ? number(to) : stepText !== undefined ? range.high : start;
    if (end < start) fail();
    for (let value = start; value <= end; value += step) values.add(value);
  }
  return values;
}

interface WallClock {
  readonly minute: number;
  readonly hour: number;
  readonly day: number;
  readonly month: number;
  readonly weekday: number;
}

/** Walks forward in steps that cannot jump over a match, whatever the clock change of the zone. */
function nextMatch(fields: Fields, afterMs: number, timeZone: string | undefined): number | undefined {
  const wallClock = wallClockOf(timeZone);
  let at = (Math.floor(afterMs / minuteMs) + 1) * minuteMs;
  const end = at + horizonMs;
  while (at < end) {
    const now = wallClock(at);
    const toNextHour = (60 - now.minute) * minuteMs;
    if (!fields.month.has(now.month) || !matchesDay(fields, now))
      at += now.hour < 20 ? toNextHour + (20 - now.hour) * hourMs : toNextHour;
    else if (!fields.hour.has(now.hour)) at += toNextHour;
    else if (!fields.minute.has(now.minute)) at += minuteMs;
    else return at;
  }
  return undefined;
}

function matchesDay({ day, weekday, anyDay, anyWeekday }: Fields, now: WallClock): boolean {
  const [dayFits, weekdayFits] = [day.has(now.day), weekday.has(now.weekday)];
  return anyDay || anyWeekday ? dayFits && weekdayFits : dayFits || weekdayFits;
}

/** Throws a RangeError for an unknown time zone. */
function wallClockOf(timeZone: string | undefined): (ms: number) => WallClock {
  const format = new Intl.DateTimeFormat('en-US', {
    ...(timeZone ? { timeZone } : {}),
    hourCycle: 'h23',
    minute: 'numeric',
    hour: 'numeric',
    day: 'numeric',
    month: 'numeric',
    weekday: 'short',
  });
  return (ms) => {
    const parts: Record<string, string> = {};
    for (const { type, value } of format.formatToParts(ms)) parts[type] = value;
    return {
      minute: Number(parts['minute']),
      hour: Number(parts['hour']),
      day: Number(parts['day']),
      month: Number(parts['month']),
      weekday: dayNames.indexOf((parts['weekday'] ?? '').toLowerCase()),
    };
  };
}
