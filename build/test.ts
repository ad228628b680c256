/**
 * `npm test`: everything CI runs, in order; installs the Debian packages it needs. `npm test -- SUITE [FILTER]` runs one suite; FILTER narrows
 * it to the files whose path contains it. Suites of real programs need root. They depend on time and on a machine that others may use: a file
 * that fails is run once more, and named at the end if it passes then.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchTestBinaries } from '../test/support/fetch-test-binaries.ts';
import { ensureInstalled } from './debian.ts';

/** What scenario tests start besides the product: nft and ip as on any Debian, curl, openssl and Python as clients, qemu for the arm64 executable. */
const testPackages = [
  ...['nftables', 'iproute2', 'curl', 'openssl', 'binutils', 'xz-utils', 'ca-certificates', 'procps', 'shellcheck', 'strace'],
  'python3-kubernetes',
  ...['qemu-user-static', 'libc6-arm64-cross', 'libstdc++6-arm64-cross', 'libatomic1-arm64-cross', 'binutils-aarch64-linux-gnu'],
];

interface Suite {
  readonly patterns: readonly string[];
  readonly timeoutMinutes: number;
  /** Needs the executables of `npm run build`. */
  readonly executable: boolean;
}

const suites: Readonly<Record<string, Suite>> = {
  robustness: { patterns: ['test/robustness/**/*.test.ts'], timeoutMinutes: 5, executable: false },
  scenario: { patterns: ['test/scenario/**/*.test.ts'], timeoutMinutes: 10, executable: true },
  conformance: { patterns: ['test/conformance/**/*.test.ts'], timeoutMinutes: 10, executable: true },
  budget: { patterns: ['test/budget/**/*.test.ts'], timeoutMinutes: 20, executable: true },
};

const [only, filter] = process.argv.slice(2);
if (only !== undefined && only !== 'check' && !(only in suites)) {
  console.error(`no suite is named ${only}; there are: check, ${Object.keys(suites).join(', ')}`);
  process.exit(2);
}
const totals = { passed: 0, failed: 0, skipped: 0 };
const flaky: string[] = [];
ensureInstalled(testPackages);
fetchTestBinaries();
if (only === undefined || only === 'check') runCheck();
let built = false;
for (const [name, suite] of Object.entries(suites)) {
  if (only !== undefined && only !== name) continue;
  runSuite(name, suite);
}
if (flaky.length > 0) console.log(`failed at first, passed when run again: ${flaky.join(', ')}`);
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exit(totals.failed > 0 ? 1 : 0);

function runCheck(): void {
  const { status } = spawnSync(process.execPath, ['build/check.ts'], { stdio: 'inherit' });
  if (status === 0) totals.passed++;
  else totals.failed++;
}

/** Each file in a process of its own, one after the other: they measure, and they own the machine's cgroups. */
function runSuite(name: string, suite: Suite): void {
  const files = suite.patterns
    .flatMap((pattern) => globSync(pattern))
    .filter((file) => !filter || file.includes(filter))
    .sort();
  if (files.length === 0) return;
  if (suite.executable && !build()) return;
  for (const file of files) {
    console.log(`\n${name}: ${file}`);
    let outcome = runFile(file, suite);
    if (outcome.failed > 0) {
      console.log(`\n${name}: ${file}, which failed, once more`);
      outcome = runFile(file, suite);
      if (outcome.failed === 0) flaky.push(file);
    }
    totals.passed += outcome.passed;
    totals.failed += outcome.failed;
    totals.skipped += outcome.skipped;
  }
}

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

function runFile(file: string, suite: Suite): Outcome {
  const tapFile = join(tmpdir(), `skiff-test-${process.pid}.tap`);
  const reporters = [
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=tap',
    `--test-reporter-destination=${tapFile}`,
  ];
  const timeout = suite.timeoutMinutes * 60_000;
  const run = spawnSync(process.execPath, ['--test', ...reporters, `--test-timeout=${timeout}`, file], {
    stdio: 'inherit',
    timeout: timeout + 60_000,
  });
  const outcome = outcomeOf(existsSync(tapFile) ? readFileSync(tapFile, 'utf8') : '');
  rmSync(tapFile, { force: true });
  if (run.status === 0 || outcome.failed > 0) return outcome;
  console.error(`${file} ended with ${run.status ?? 'a time-out'}`);
  return { ...outcome, failed: 1 };
}

function outcomeOf(tap: string): Outcome {
  const number = (name: string): number => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(tap)?.[1] ?? 0);
  return { passed: number('pass'), failed: number('fail') + number('cancelled'), skipped: number('skipped') };
}

function build(): boolean {
  if (built) return true;
  const { status } = spawnSync(process.execPath, ['build/build.ts'], { stdio: 'inherit' });
  built = status === 0;
  if (!built) {
    console.error('the executables could not be built');
    totals.failed++;
  }
  return built;
}
