interface Range {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const fields: readonly Range[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of month', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12, names: months },
  { name: 'day of week', min: 0, max: 6, names: days },
];
const descriptors = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];
const interval = /^@every (\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/;

/**
 * What is wrong with a cron schedule: five fields of numbers, ranges, steps and names, or a descriptor such as `@daily` or `@every 1h`.
 * Undefined when nothing is. The syntax is that of robfig/cron, which upstream uses.
 */
export function scheduleProblem(schedule: string): string | undefined {
  const text = schedule.replace(/^(?:CRON_)?TZ=\S+\s+/, '').trim();
  if (text === '') return 'empty spec string';
  if (text.startsWith('@')) {
    return descriptors.includes(text) || interval.test(text) ? undefined : `unrecognized descriptor: ${text}`;
  }
  const parts = text.split(/\s+/);
  if (parts.length !== fields.length) {
    return `expected exactly 5 fields, found ${parts.length}: [${parts.join(' ')}]`;
  }
  for (const [i, part] of parts.entries()) {
    for (const item of part.split(',')) {
      const problem = itemProblem(item, fields[i]!);
      if (problem) return problem;
    }
  }
  return undefined;
}

/** `*`, `5`, `1-5`, `mon-fri`, each with an optional step `/2`. */
function itemProblem(item: string, range: Range): string | undefined {
  const [span = '', step, ...rest] = item.split('/');
  if (rest.length > 0) return `too many slashes: ${item}`;
  if (step !== undefined && !/^\d+$/.test(step))
    return `failed to parse int from ${step}: strconv.Atoi: parsing "${step}": invalid syntax`;
  if (step !== undefined && Number(step) === 0) return `step of range should be a positive number: ${item}`;
  if (span === '*' || span === '?') return undefined;
  const [from = '', to, ...more] = span.split('-');
  if (more.length > 0) return `too many hyphens: ${item}`;
  const start = numberOf(from, range);
  const end = to === undefined ? start : numberOf(to, range);
  if (start === undefined) return unparsable(from);
  if (end === undefined) return unparsable(to ?? '');
  if (start < range.min) return `beginning of range (${start}) below minimum (${range.min}): ${item}`;
  if (end > range.max) return `end of range (${end}) above maximum (${range.max}): ${item}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${item}`;
  return undefined;
}

function numberOf(text: string, { names, min }: Range): number | undefined {
  const index = names?.indexOf(text.toLowerCase()) ?? -1;
  if (index >= 0) return index + min;
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

const unparsable = (text: string): string => `failed to parse int from ${text}: strconv.Atoi: parsing "${text}": invalid syntax`;

/** What is wrong with the name of a time zone. */
export function timeZoneProblem(zone: string): string | undefined {
  if (zone === '') return 'timeZone must be nil or non-empty string';
  if (zone.toLowerCase() === 'local') {
    return 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones';
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return undefined;
  } catch {
    return `unknown time zone ${zone}`;
  }
}
