import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { createSecureContext } from 'node:tls';
import { FakeClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { dayMs } from './certificate.ts';
import { kubeconfigText } from './kubeconfig.ts';
import { createRenewal, renewalCheckMs } from './renewal.ts';
import { ensureServerPki, leafNames, type ServerPki } from './server-pki.ts';
import { ensureStaticTokens } from './token-files.ts';

describe('the identity of a server', () => {
  let dir = '';
  let clock = new FakeClock();
  const open = (ips = ['127.0.0.1', 'fd00::1']): ServerPki => ensureServerPki({ dir, hostnames: ['localhost'], ips, clock });

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'skiff-pki-'));
    clock = new FakeClock(Date.UTC(2026, 5, 1));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  test('everything is made once, for the owner only, and found again', () => {
    const first = open();
    for (const file of readdirSync(dir)) assert.equal(statSync(join(dir, file)).mode & 0o777, 0o600, file);
    const second = open();
    assert.equal(second.caHash, first.caHash);
    for (const name of leafNames) assert.deepEqual(second.leaf(name), first.leaf(name));
    assert.ok(second.serviceAccountKey.equals(first.serviceAccountKey));
  });

  test('TLS accepts the pairs', () => {
    const pki = open();
    for (const name of leafNames) createSecureContext({ cert: pki.leaf(name).certificatePem, key: pki.leaf(name).privateKeyPem });
    const serving = new X509Certificate(pki.leaf('serving').certificatePem);
    assert.equal(serving.checkIP('127.0.0.1'), '127.0.0.1');
    assert.equal(serving.checkHost('localhost'), 'localhost');
    assert.equal(new X509Certificate(pki.leaf('kubelet-client').certificatePem).subject, 'CN=kube-apiserver-kubelet-client');
    assert.equal(new X509Certificate(pki.leaf('admin').certificatePem).subject, 'O=system:masters\nCN=system:admin');
  });

  test('leaves are renewed live when a third of their life is left, the CA stays', async () => {
    const pki = open();
    const renewed: string[] = [];
    pki.onRenewed((name) => renewed.push(name));
    const renewal = createRenewal({ pki, clock, log: silentLogger });
    await renewal.start();
    clock.advance(200 * dayMs);
    assert.deepEqual(renewed, []);
    clock.advance(50 * dayMs + renewalCheckMs);
    assert.deepEqual(renewed, [...leafNames]);
    assert.deepEqual(pki.needsRenewal(), []);
    await renewal.stop();
    assert.equal(open().caHash, pki.caHash);
  });

  test('a new address of the server gives a new serving certificate', () => {
    const pki = open();
    const before = pki.leaf('admin');
    assert.deepEqual(pki.setNames({ dns: ['localhost'], ips: ['127.0.0.1', '192.168.1.7'] }), ['serving']);
    assert.equal(new X509Certificate(pki.leaf('serving').certificatePem).checkIP('192.168.1.7'), '192.168.1.7');
    assert.equal(pki.leaf('admin'), before);
    assert.deepEqual(open(['127.0.0.1', '192.168.1.7']).leaf('serving'), pki.leaf('serving'));
    open(['fd00:0:0::0001']);
    assert.deepEqual(open(['fd00:0:0::0001']).needsRenewal(), []);
  });

  test('a power cut between key and certificate is repaired', () => {
    const pki = open();
    writeFileSync(join(dir, 'admin.key'), readFileSync(join(dir, 'serving.key')));
    assert.notDeepEqual(open().leaf('admin'), pki.leaf('admin'));
  });

  test('a lost CA key is not papered over', () => {
    open();
    rmSync(join(dir, 'ca.key'));
    assert.throws(open, /ca\.key is missing/);
  });

  test('join tokens are made once, name the CA, and can be given', () => {
    const { caHash } = open();
    const first = ensureStaticTokens({ dir, caHash });
    assert.deepEqual(ensureStaticTokens({ dir, caHash }), first);
    assert.equal(readFileSync(join(dir, 'node-token'), 'utf8'), `SKIFF10${caHash}::agent:${first.agent}\n`);
    assert.equal(statSync(join(dir, 'token')).mode & 0o777, 0o600);
    const given = ensureStaticTokens({ dir, caHash, serverSecret: 'correct-horse-battery' });
    assert.deepEqual(given, { server: 'correct-horse-battery', agent: first.agent });
    assert.throws(() => ensureStaticTokens({ dir, caHash, serverSecret: 'short' }), /too weak/);
  });

  test('a kubeconfig holds everything kubectl needs', () => {
    const pki = open();
    const text = kubeconfigText({
      server: 'https://127.0.0.1:6443',
      caPem: pki.ca.certificatePem,
      credential: pki.leaf('admin'),
    });
    const data = /client-certificate-data: (\S+)/.exec(text)?.[1] ?? '';
    assert.equal(Buffer.from(data, 'base64').toString(), pki.leaf('admin').certificatePem);
    assert.match(text, /current-context: "skiff"/);
  });
});
