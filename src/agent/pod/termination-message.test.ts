import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { terminationMessage } from './termination-message.ts';

const log = '2026-01-01T00:00:00Z stdout F first\n2026-01-01T00:00:01Z stderr P DONE\n';
const fallback = 'FallbackToLogsOnError';

for (const [name, file, exitCode, policy, expected] of [
  ['the file', 'from the file', 1, 'File', 'from the file'],
  ['the file before the log', 'from the file', 1, fallback, 'from the file'],
  ['nothing', '', 1, 'File', ''],
  ['the log of a failure, without a line break that was not written', '', 1, fallback, 'first\nDONE'],
  ['not the log of a success', '', 0, fallback, ''],
  ['at most 4 KiB', 'x'.repeat(5000), 0, 'File', 'x'.repeat(4096)],
] as const)
  test(`termination message: ${name}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'skiff-message-'));
    try {
      const [messageFile, logFile] = [join(folder, 'message'), join(folder, 'log')];
      writeFileSync(messageFile, file);
      writeFileSync(logFile, log);
      const spec = { name: 'main', terminationMessagePolicy: policy };
      assert.equal(await terminationMessage({ spec, exitCode, messageFile, logFile }), expected);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
