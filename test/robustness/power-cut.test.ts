/**
 * Records every write and sync of a process that uses the store, and opens what a disk may hold after a power cut at many points of that
 * record: every acknowledged write must be there. Needs strace.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { silentLogger } from '../../src/lib/log.ts';
import { SqliteStore } from '../../src/sqlite-store/sqlite-store.ts';
import { Random } from '../support/random.ts';
import { type DiskEvent, filesAfterPowerCut, parseTrace, traceArguments } from './disk-trace.ts';

const cuts = Number(process.env['POWER_CUTS'] ?? 150);
/** The writer ends itself at this checkpoint. */
const checkpoints = 4;
/** Enough for the first batch after it. */
const eventsAfterCheckpoint = 40;
const deadlineMs = 60_000;

const hasStrace = spawnSync('strace', ['-V']).status === 0;

describe('a store after a power cut', { skip: hasStrace ? false : 'needs strace' }, () => {
  it('has every acknowledged write', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'skiff-cut-'));
    try {
      const events = record(folder);
      const ready = events.findIndex((event) => event.type === 'said' && event.text.startsWith('ready'));
      const seed = Math.floor(Math.random() * 2 ** 31);
      const chance = new Random(seed);
      const random = (): number => chance.next();
      const ends = checkpointEnds(events).filter((i) => i > ready);
      for (let cut = 0; cut < cuts; cut++) {
        // Every other cut is around the end of a checkpoint, where most can go wrong.
        const near = ends[Math.floor(random() * ends.length)] ?? ready;
        const from = cut % 2 === 0 ? ready : near;
        const count = from + Math.floor(random() * (cut % 2 === 0 ? events.length - ready : eventsAfterCheckpoint));
        await checkCut(folder, events, { count, random, name: `seed ${seed}, cut ${cut} after ${count} events` });
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

function record(folder: string): DiskEvent[] {
  const log = join(folder, 'trace');
  const writer = [process.execPath, join(import.meta.dirname, 'store-writer.ts')];
  const when = ['sqlite.checkpoint.after-clear', String(checkpoints)];
  const args = [...traceArguments(log), ...writer, join(folder, 'state.db'), ...when];
  const child = spawnSync('strace', args, { timeout: deadlineMs, maxBuffer: 2 ** 27 });
  assert.equal(child.signal, 'SIGKILL', `the writer ended in another way: ${child.stderr}`);
  const events = parseTrace(readFileSync(log, 'latin1'));
  assert.ok(checkpointEnds(events).length >= checkpoints);
  return events;
}

/** Where the header of the log is cleared. */
function checkpointEnds(events: readonly DiskEvent[]): number[] {
  return events.flatMap((event, i) =>
    event.type === 'write' && event.file.endsWith('-wal') && event.offset === 0 && event.data.every((byte) => byte === 0)
      ? [i]
      : [],
  );
}

async function checkCut(
  folder: string,
  events: readonly DiskEvent[],
  cut: { count: number; random: () => number; name: string },
): Promise<void> {
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  for (const [file, content] of filesAfterPowerCut(events, cut.count, cut.random)) {
    if (/state\.db(-wal)?$/.test(file)) writeFileSync(join(disk, basename(file)), content);
  }
  const store = new SqliteStore({ file: join(disk, 'state.db'), log: silentLogger, onFatal: (error) => assert.fail(error) });
  await store.open().catch((error: unknown) => {
    throw new Error(cut.name, { cause: error });
  });
  for (const event of events.slice(0, cut.count)) {
    const [, key, number] = event.type === 'said' ? (/^(?:ack|flushed) (\S+) (\d+)/.exec(event.text) ?? []) : [];
    if (key === undefined) continue;
    const entry = store.newest(key);
    const found = entry ? (JSON.parse(Buffer.from(entry.value).toString()) as { n: number }).n : -1;
    assert.ok(found >= Number(number), `${cut.name}: ${key} is at ${found}, ${number} was acknowledged`);
  }
  await store.close();
  rmSync(disk, { recursive: true });
}
