let lastSecond = Number.NaN;
let lastText = '';

/** A time as the API writes it (metav1.Time): RFC 3339 in UTC with whole seconds. */
export function timestamp(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== lastSecond) {
    // Each write needs the present second several times.
    lastText = `${new Date(ms).toISOString().slice(0, 19)}Z`;
    lastSecond = second;
  }
  return lastText;
}

/** A time of the kinds that count finer (metav1.MicroTime): leases, events. */
export function microTimestamp(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}

/** Milliseconds since the epoch; 0 for an absent time. */
export function millisecondsOf(time: string | undefined): number {
  return time ? Date.parse(time) : 0;
}
