/**
 * Kills a process that writes to the store, at random moments and at every failpoint of the commit path, and looks at what it left: every
 * acknowledged write is there, no revision comes twice, of the lazy tier only what was not flushed is lost.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { silentLogger } from '../../src/lib/log.ts';
import { SqliteStore } from '../../src/sqlite-store/sqlite-store.ts';

const failpoints = [
  'sqlite.before-commit',
  'sqlite.before-sync',
  'sqlite.after-sync',
  'sqlite.before-flush',
  'sqlite.checkpoint.before-copy',
  'sqlite.checkpoint.after-copy',
  'sqlite.checkpoint.after-sync',
  'sqlite.checkpoint.after-clear',
];
/** With which the writer exits when it is told to. */
const exitCode = 99;
const deadlineMs = 30_000;
const randomKills = 6;
/** A process is killed after this many acknowledgements, plus up to as many again. */
const acksBeforeKill = 2000;

/** What a process said before it died. */
interface Report {
  /** Key → the last number acknowledged. */
  readonly acknowledged: ReadonlyMap<string, number>;
  /** Key → the last lazy number known to be flushed. */
  readonly flushed: ReadonlyMap<string, number>;
  readonly highestRevision: number;
}

describe('a store whose process is killed', () => {
  for (let round = 1; round <= randomKills; round++) {
    it(`keeps what it acknowledged, at a random moment (${round})`, () =>
      inFolder(async (file) => {
        let before = 0;
        for (let life = 0; life < 3; life++) {
          const acks = acksBeforeKill + Math.floor(Math.random() * acksBeforeKill);
          before = await check(file, await runUntilKilled([file], acks), before, `killed after ${acks} acknowledgements`);
        }
      }));
  }

  for (const point of failpoints) {
    it(`keeps what it acknowledged, exiting at ${point}`, () =>
      inFolder(async (file) => void (await check(file, await runUntilKilled([file, point, '2', 'exit']), 0, point))));
    for (const pass of [1, 2, 7]) {
      it(`keeps what it acknowledged, at ${point} (pass ${pass})`, () =>
        inFolder(async (file) => {
          const first = await check(file, await runUntilKilled([file, point, String(pass)]), 0, point);
          await check(file, await runUntilKilled([file, point, String(pass)]), first, point);
        }));
    }
  }
});

async function inFolder(body: (file: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'skiff-robust-'));
  try {
    await body(join(folder, 'state.db'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs the writer until it kills itself, or until it has acknowledged so many writes. */
function runUntilKilled(args: string[], acks = Number.POSITIVE_INFINITY): Promise<Report> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'store-writer.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const acknowledged = new Map<string, number>();
  const flushed = new Map<string, number>();
  let highestRevision = 0;
  let seen = 0;
  let rest = '';
  const timer = setTimeout(() => child.kill('SIGTERM'), deadlineMs);
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [word, key = '', n, revision = '0'] = line.split(' ');
      if (word === 'ack') acknowledged.set(key, Number(n));
      if (word === 'flushed') flushed.set(key, Number(n));
      highestRevision = Math.max(highestRevision, Number(revision));
      if (word === 'ack' && ++seen >= acks) child.kill('SIGKILL');
    }
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (code, signal) => {
      clearTimeout(timer);
      if (signal === 'SIGKILL' || code === exitCode) resolve({ acknowledged, flushed, highestRevision });
      else reject(new Error(`the writer ended with ${signal ?? code} instead of being killed`));
    });
  });
}

/** Opens what the process left and compares. Returns the highest revision known so far. */
async function check(file: string, report: Report, before: number, when: string): Promise<number> {
  const store = new SqliteStore({ file, log: silentLogger, onFatal: (error) => assert.fail(error) });
  await store.open();
  try {
    const { entries, revision } = await store.loadAll();
    const numbers = new Map(entries.map((e) => [e.key, (JSON.parse(Buffer.from(e.value).toString()) as { n: number }).n]));
    for (const [key, n] of [...report.acknowledged, ...report.flushed]) {
      assert.ok((numbers.get(key) ?? -1) >= n, `${when}: ${key} is at ${numbers.get(key)}, ${n} was acknowledged`);
    }
    assert.ok(revision >= report.highestRevision, `${when}: revision ${revision} after ${report.highestRevision}`);
    assert.ok(report.highestRevision === 0 || report.highestRevision > before, `${when}: revisions did not go on`);
    for (const entry of entries) assert.ok(entry.revision <= revision);
    const next = await store.write({ key: '/registry/things/next', value: Buffer.from(`{"n":${before}}`) });
    assert.ok(next > Math.max(before, report.highestRevision), `${when}: revision ${next} was given out twice`);
    return next;
  } finally {
    await store.close();
  }
}
