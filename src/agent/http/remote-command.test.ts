import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { type CommandStatus, runRemoteCommand } from './remote-command.ts';

describe('runRemoteCommand', () => {
  it('ends for a command whose outputs have closed before anybody looked', async () => {
    const stderr = new PassThrough();
    stderr.end();
    stderr.resume();
    await once(stderr, 'close');
    const stdout = new PassThrough();
    stdout.end('hello');
    const told: CommandStatus[] = [];
    const received = new PassThrough();
    await runRemoteCommand(
      {
        stdin: undefined,
        stdout: received,
        stderr: new PassThrough(),
        onResize() {},
        onGone() {},
        finish: (status) => void told.push(status),
      },
      () =>
        Promise.resolve({
          stdin: undefined,
          stdout,
          stderr,
          resize: () => Promise.resolve(),
          exit: Promise.resolve({ exitCode: 3 }),
          close: () => Promise.resolve(),
        }),
    );
    assert.equal(told[0]?.details?.causes?.[0]?.message, '3');
    assert.equal(String(received.read()), 'hello');
  });
});
