import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../../test/support/eventually.ts';
import { type LogRequest, type LogSource, writeLog } from './log-reader.ts';

const line = (second: number, body: string, tag = 'F', stream = 'stdout'): string =>
  `2026-01-01T00:00:0${second}.5Z ${stream} ${tag} ${body}\n`;

const ended: LogSource = { isRunning: () => false, onEnd: () => () => {} };

describe('container logs', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'skiff-logs-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const read = async (content: string, request: Partial<LogRequest>): Promise<string> => {
    const path = join(folder, 'a.log');
    writeFileSync(path, content);
    const out = new PassThrough();
    const all = text(out);
    await writeLog({ path, follow: false, timestamps: false, ...request }, ended, out);
    out.end();
    return all;
  };

  const three = line(1, 'one') + line(2, 'two', 'F', 'stderr') + line(3, 'three');
  const cases: readonly [name: string, content: string, request: Partial<LogRequest>, expected: string][] = [
    ['all lines', three, {}, 'one\ntwo\nthree\n'],
    ['an empty log', '', {}, ''],
    ['the last two', three, { tailLines: 2 }, 'two\nthree\n'],
    ['none of them', three, { tailLines: 0 }, ''],
    ['more than there are', three, { tailLines: 9 }, 'one\ntwo\nthree\n'],
    ['with times', line(1, 'one'), { timestamps: true }, '2026-01-01T00:00:01.5Z one\n'],
    ['since a time', three, { sinceMs: Date.UTC(2026, 0, 1, 0, 0, 2) }, 'two\nthree\n'],
    ['at most so many bytes', three, { limitBytes: 6 }, 'one\ntw'],
    ['one stream', three, { stream: 'stderr' }, 'two\n'],
    ['a long line in parts', line(1, 'be', 'P') + line(1, 'gin', 'F'), {}, 'begin\n'],
    ['an empty line', line(1, ''), {}, '\n'],
    ['rubbish of a power cut', `\0\0\0\n${line(1, 'one')}`, {}, 'one\n'],
    ['text with spaces', line(1, 'a  b c'), {}, 'a  b c\n'],
  ];
  for (const [name, content, request, expected] of cases)
    it(name, async () => assert.equal(await read(content, request), expected));

  it('reads the last lines of a log larger than a block', async () => {
    const many = Array.from({ length: 20_000 }, (_, i) => line(1, `line ${i}`)).join('');
    assert.equal(await read(many, { tailLines: 2 }), 'line 19998\nline 19999\n');
  });

  it('follows through a rotation until the container ends', async () => {
    const path = join(folder, 'followed.log');
    writeFileSync(path, line(1, 'old') + line(1, 'one'));
    let running = true;
    let tell = (): void => {};
    const onEnd = (callback: () => void): (() => void) => {
      tell = callback;
      return () => {};
    };
    const source = { isRunning: () => running, onEnd };
    const out = new PassThrough();
    let got = '';
    out.on('data', (chunk: Buffer) => (got += chunk));
    const done = writeLog({ path, follow: true, timestamps: false, tailLines: 1 }, source, out);
    await eventually('the first line', () => got === 'one\n');
    appendFileSync(path, line(2, 'two'));
    await eventually('the second line', () => got === 'one\ntwo\n');
    appendFileSync(path, line(3, 'three'));
    renameSync(path, `${path}.1`);
    writeFileSync(path, line(4, 'four'));
    await eventually('the new file', () => got === 'one\ntwo\nthree\nfour\n');
    appendFileSync(path, line(5, 'last'));
    running = false;
    tell();
    await done;
    assert.equal(got, 'one\ntwo\nthree\nfour\nlast\n');
  });

  it('stops following when the client goes', async () => {
    const path = join(folder, 'left.log');
    writeFileSync(path, line(1, 'one'));
    const out = new PassThrough();
    out.resume();
    const done = writeLog({ path, follow: true, timestamps: false }, { isRunning: () => true, onEnd: () => () => {} }, out);
    setImmediate(() => out.destroy());
    await done;
  });
});
