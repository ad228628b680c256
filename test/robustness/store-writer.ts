/**
 * The process the store test kills: 16 durable writers, and lazy writes that are flushed now and then. Says on stdout what was acknowledged:
 * `ack KEY NUMBER REVISION`, `lazy KEY NUMBER REVISION`, `flushed KEY NUMBER`.
 *
 * node store-writer.ts FILE [FAILPOINT PASS [exit]]: with a failpoint it kills itself when it gets there for the PASSth time, or exits without
 * closing the store.
 */
import { writeSync } from 'node:fs';
import { FakeClock } from '../../src/lib/clock.ts';
import { armFailpoint } from '../../src/lib/failpoint.ts';
import { silentLogger } from '../../src/lib/log.ts';
import { SqliteStore } from '../../src/sqlite-store/sqlite-store.ts';

const writers = 16;
const keysPerWriter = 5;
const lazyFlushMs = 1000;
/** Not one that Node.js uses. */
const exitCode = 99;

const [file = '', point, pass = '1', how] = process.argv.slice(2);
const clock = new FakeClock();
const store = new SqliteStore({
  file,
  log: silentLogger,
  clock,
  lazyFlushMs,
  logLimitBytes: 100_000,
  onFatal: (error) => {
    throw error;
  },
});
await store.open();
if (point) {
  let left = Number(pass);
  armFailpoint(point, () => {
    if (--left > 0) return;
    if (how === 'exit') process.exit(exitCode);
    process.kill(process.pid, 'SIGKILL');
  });
}
say('ready');
for (let writer = 0; writer < writers; writer++) void writeOn(writer);
void writeLazilyOn();

async function writeOn(writer: number): Promise<void> {
  const keys = Array.from({ length: keysPerWriter }, (_, i) => `/registry/things/w${writer}/${i}`);
  for (let n = 1 + Math.max(...keys.map(lastNumber)); ; n++) {
    const key = keys[n % keysPerWriter] ?? '';
    const value = Buffer.from(JSON.stringify({ n, text: 'x'.repeat((n * 37) % 3000) }));
    say(`ack ${key} ${n} ${await store.write({ key, value })}`);
  }
}

/** A flush is certain to be over when a durable write that came after it is acknowledged. */
async function writeLazilyOn(): Promise<void> {
  const key = '/registry/leases/node';
  for (let n = 1 + lastNumber(key); ; n++) {
    say(`lazy ${key} ${n} ${await store.write({ key, value: Buffer.from(JSON.stringify({ n })), lazy: true })}`);
    if (n % 10 !== 9) continue;
    clock.advance(lazyFlushMs);
    await store.write({ key: '/registry/things/after-flush', value: Buffer.from(JSON.stringify({ n })) });
    say(`flushed ${key} ${n}`);
  }
}

/** Numbers go on where an earlier process stopped, so that every write is a change. */
function lastNumber(key: string): number {
  const entry = store.newest(key);
  return entry ? (JSON.parse(Buffer.from(entry.value).toString()) as { n: number }).n : -1;
}

function say(line: string): void {
  writeSync(1, `${line}\n`);
}
