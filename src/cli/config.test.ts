import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readSettings } from './config.ts';

describe('readSettings', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'skiff-config-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const file = (text: string): string => {
    const path = join(folder, `${Math.random()}.yaml`);
    writeFileSync(path, text);
    return path;
  };

  it('takes flag before variable before file before default', () => {
    const config = file('data-dir: /file\nnode-name: file\nnode-ip: 10.0.0.1\n');
    const settings = readSettings('server', ['--config', config, '--data-dir=/flag'], {
      SKIFF_DATA_DIR: '/env',
      SKIFF_NODE_NAME: 'env',
    });
    assert.equal(settings['data-dir'], '/flag');
    assert.equal(settings['node-name'], 'env');
    assert.equal(settings['node-ip'], '10.0.0.1');
    assert.equal(settings['https-listen-port'], 6443);
  });

  it('appends lists from flags, and from files with a plus', () => {
    const config = file('tls-san: [a, b]\n');
    mkdirSync(`${config}.d`);
    writeFileSync(`${config}.d/10.yaml`, 'tls-san+: c\n');
    assert.deepEqual(readSettings('server', ['--config', config], {})['tls-san'], ['a', 'b', 'c']);
    assert.deepEqual(readSettings('server', ['--tls-san', 'x', '--tls-san=y,z'], {})['tls-san'], ['x', 'y', 'z']);
  });

  it('knows switches with and without a value', () => {
    assert.equal(readSettings('server', ['--disable-agent'], {})['disable-agent'], true);
    assert.equal(readSettings('server', ['--disable-agent=false'], {})['disable-agent'], false);
  });

  it('lets one file serve server and agent', () => {
    const config = file('server: https://pi:6443\ntoken: t\n');
    assert.equal(readSettings('server', ['--config', config], {})['token'], 't');
    assert.equal(readSettings('agent', ['--config', config], {})['server'], 'https://pi:6443');
  });

  const bad: readonly (readonly [name: string, argv: () => string[], message: RegExp])[] = [
    ['an unknown flag', () => ['--cluster-cdir', 'x'], /no flag --cluster-cdir; did you mean --cluster-cidr\?/],
    ['a missing value', () => ['--data-dir'], /--data-dir needs a value/],
    ['a number that is none', () => ['--https-listen-port', 'https'], /must be a number, not "https"/],
    ['a missing config file', () => ['--config', '/nope.yaml'], /\/nope.yaml does not exist/],
    ['broken YAML', () => ['--config', file('a: [')], /is not valid YAML/],
    ['an unknown key', () => ['--config', file('data_dir: x')], /no setting "data_dir"/],
    ['a stray word', () => ['start'], /unexpected argument "start"/],
  ];
  for (const [name, argv, message] of bad) {
    it(`refuses ${name}`, () => assert.throws(() => readSettings('server', argv(), {}), message));
  }
});
