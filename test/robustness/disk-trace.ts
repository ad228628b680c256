/** What a process did to its files, from `strace`, and what a disk may hold after a power cut in the middle of it. */

export type DiskEvent =
  | { readonly type: 'write'; readonly file: string; readonly offset: number; readonly data: Buffer }
  | { readonly type: 'truncate'; readonly file: string; readonly size: number }
  | { readonly type: 'sync-start' | 'sync-end'; readonly file: string; readonly thread: string }
  | { readonly type: 'said'; readonly text: string };

/** The calls `traceArguments` records. */
const calls = 'pwrite64,write,ftruncate,fsync,fdatasync';
const longestString = 200_000;

/** Arguments for strace, before those of the program. */
export function traceArguments(log: string): string[] {
  return ['-f', '-y', '-xx', '-s', String(longestString), '-e', `trace=${calls}`, '-e', 'signal=none', '-o', log];
}

/** Reads what strace recorded, in the order in which calls began; the end of a sync is an event of its own. */
export function parseTrace(text: string): DiskEvent[] {
  const syncing = new Map<string, string>();
  return text.split('\n').flatMap((line) => {
    const [, thread = '', call = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    if (/^<\.\.\. f(?:data)?sync resumed>.*= 0$/.test(call)) {
      return [{ type: 'sync-end', file: syncing.get(thread) ?? '', thread } as const];
    }
    const [, name = '', fd = '', file = '', rest = ''] = /^(\w+)\((\d+)<(.*?)>(.*)$/.exec(call) ?? [];
    return eventsOf({ thread, name, fd, file: bytesOf(file).toString(), rest, syncing });
  });
}

function eventsOf(call: {
  thread: string;
  name: string;
  fd: string;
  file: string;
  rest: string;
  syncing: Map<string, string>;
}): DiskEvent[] {
  const { thread, name, fd, file, rest, syncing } = call;
  if (name === 'fsync' || name === 'fdatasync') {
    syncing.set(thread, file);
    const start = { type: 'sync-start', file, thread } as const;
    return rest.endsWith('= 0') ? [start, { type: 'sync-end', file, thread }] : [start];
  }
  if (name === 'ftruncate') return [{ type: 'truncate', file, size: Number(/^, (\d+)/.exec(rest)?.[1]) }];
  const [, data = '', offset] = /^, "((?:\\x[0-9a-f]{2})*)", \d+(?:, (\d+))?/.exec(rest) ?? [];
  if (name === 'pwrite64') return [{ type: 'write', file, offset: Number(offset), data: bytesOf(data) }];
  if (name === 'write' && fd === '1') return [{ type: 'said', text: bytesOf(data).toString() }];
  return [];
}

function bytesOf(text: string): Buffer {
  return text.startsWith('\\x') ? Buffer.from(text.replaceAll('\\x', ''), 'hex') : Buffer.from(text);
}

type Change = Extract<DiskEvent, { type: 'write' | 'truncate' }>;

/**
 * The files after a power cut behind the first `count` events: all that was synced, and of the rest whatever chance picks, in whatever
 * combination, the way a disk with a cache may.
 */
export function filesAfterPowerCut(events: readonly DiskEvent[], count: number, random: () => number): Map<string, Buffer> {
  const durable = new Map<string, Buffer>();
  const pending = new Map<string, Change[]>();
  const covered = new Map<string, number>();
  for (const event of events.slice(0, count)) {
    if (event.type === 'said') continue;
    const changes = pending.get(event.file) ?? [];
    pending.set(event.file, changes);
    if (event.type === 'sync-start') covered.set(event.thread, changes.length);
    else if (event.type === 'write' || event.type === 'truncate') changes.push(event);
    else
      durable.set(
        event.file,
        changes.splice(0, covered.get(event.thread)).reduce(apply, durable.get(event.file) ?? Buffer.alloc(0)),
      );
  }
  const kept = random();
  for (const [file, changes] of pending) {
    const survivors = changes.filter(() => random() < kept).map((change) => torn(change, random));
    durable.set(file, survivors.reduce(apply, durable.get(file) ?? Buffer.alloc(0)));
  }
  return durable;
}

const sectorBytes = 512;

/** Now and then only the first sectors of a write get through. */
function torn(change: Change, random: () => number): Change {
  if (change.type !== 'write' || change.data.length <= sectorBytes || random() < 0.9) return change;
  const sectors = Math.floor((random() * change.data.length) / sectorBytes);
  return { ...change, data: change.data.subarray(0, sectors * sectorBytes) };
}

function apply(content: Buffer, change: Change): Buffer {
  const size = change.type === 'truncate' ? change.size : Math.max(content.length, change.offset + change.data.length);
  const result = Buffer.alloc(size);
  content.copy(result, 0, 0, size);
  if (change.type === 'write') change.data.copy(result, change.offset);
  return result;
}
