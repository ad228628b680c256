const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;

/**
 * A duration as kubectl prints it: two units at most, and the second only while it says something (`59s`, `3m12s`, `5h30m`, `2d4h`, `400d`,
 * `2y10d`). `<invalid>` when the clocks disagree by more than a second. kubernetes: apimachinery/pkg/util/duration.
 */
export function humanDuration(milliseconds: number): string {
  if (milliseconds <= -2 * second) return '<invalid>';
  if (milliseconds < 0) return '0s';
  const seconds = Math.floor(milliseconds / second);
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(milliseconds / minute);
  if (minutes < 10) return withRest(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(milliseconds / hour);
  if (hours < 8) return withRest(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(milliseconds / day);
  if (hours < 24 * 8) return withRest(days, 'd', hours % 24, 'h');
  if (hours < 24 * 365 * 2) return `${days}d`;
  const years = Math.floor(milliseconds / year);
  return hours < 24 * 365 * 8 ? withRest(years, 'y', days % 365, 'd') : `${years}y`;
}

function withRest(count: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${count}${unit}` : `${count}${unit}${rest}${restUnit}`;
}

/** How long ago an RFC 3339 time was; `<unknown>` for none. */
export function age(timestamp: string | undefined | null, nowMs: number): string {
  return timestamp ? humanDuration(nowMs - Date.parse(timestamp)) : '<unknown>';
}
