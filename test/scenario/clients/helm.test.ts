/** Helm with a chart that has one of each of what charts have, on a real server with a node that only reports. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { Json } from '../../conformance/support/api.ts';
import { controlPlane, exists, gone } from '../../conformance/support/control-plane.ts';
import { type Fate, imageOf } from '../../conformance/support/pretended-node.ts';
import { fetchTestBinaries } from '../../support/fetch-test-binaries.ts';

const run = promisify(execFile);
const program = resolve(fetchTestBinaries(), 'helm');
const namespace = 'shop';
/** What helm keeps of a release must fit into a Secret: with this in the chart most of it is used. */
const largeFileBytes = 550 * 1024;

const plane = controlPlane(async () => {
  await plane.addNode('node', { fateOf });
});

function fateOf(pod: Json): Fate {
  const image = imageOf(pod);
  if (image === 'migrate:fails') return { exitCode: 1 };
  if (/^(migrate|check):/.test(image)) return { exitCode: 0 };
  return image === 'web:broken' ? 'unready' : 'ready';
}

async function helm(...args: string[]): Promise<string> {
  return (await output(...args)).stdout;
}

function output(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const home = plane.folder;
  const env = { PATH: process.env['PATH'], HOME: home, KUBECONFIG: plane.kubeconfig, HELM_CACHE_HOME: join(home, 'helm') };
  return run(program, ['-n', namespace, ...args], { env, maxBuffer: 16 * 1024 * 1024 });
}

const of = (resource: string) => plane.api.resource(resource, namespace);
const deployment = (): Promise<Json> => of('apps/v1/deployments').get('web');
const releases = async (): Promise<Json[]> => JSON.parse(await helm('list', '-a', '-o', 'json'));
const history = async (): Promise<string[]> =>
  JSON.parse(await helm('history', 'web', '-o', 'json')).map((each: Json) => `${each.revision} ${each.status}`);

describe('helm', () => {
  const chart = resolve('test/scenario/clients/chart');
  let large: string;
  const wait = ['--wait', '--timeout', '60s'];

  it('checks a chart with what the server has', async () => {
    await plane.api.resource('v1/namespaces').create({ metadata: { name: namespace } });
    const rendered = await helm('template', 'web', chart, '--validate');
    assert.match(rendered, /kind: Deployment/);
    assert.match(await helm('install', 'web', chart, '--dry-run'), /STATUS: pending-install/);
    const refused = helm('install', 'refused', chart, '--set', 'replicas=many');
    await assert.rejects(refused, /Deployment in version "v1" cannot be handled as a Deployment.*spec\.replicas of type int32/s);
    await helm('uninstall', 'refused', '--no-hooks');
    // The server warns; this helm does not ask it to be strict.
    const { stderr } = await output('install', 'warned', chart, '--set', 'bogus=true');
    assert.match(stderr, /unknown field "spec\.bogus"/);
    await helm('uninstall', 'warned', '--wait');
  });

  it('installs, after the hook before it has ended', async () => {
    large = join(plane.folder, 'chart');
    cpSync(chart, large, { recursive: true });
    writeFileSync(join(large, 'large.bin'), randomBytes(largeFileBytes));
    await helm('install', 'web', large, ...wait);
    assert.deepEqual((await deployment()).status.readyReplicas, 2);
    const [release] = await releases();
    assert.deepEqual([release.name, release.status, release.revision], ['web', 'deployed', '1']);
    assert.match(await helm('status', 'web'), /STATUS: deployed/);
    assert.match(await helm('get', 'manifest', 'web'), /kind: NetworkPolicy/);
    assert.ok(!(await exists(of('batch/v1/jobs'), 'web-migrate')), 'the hook that succeeded is deleted');
    const secret = await of('v1/secrets').get('sh.helm.release.v1.web.v1');
    assert.equal(secret.type, 'helm.sh/release.v1');
    assert.ok(secret.data.release.length > 900_000, `${secret.data.release.length}`);
  });

  it('does not install what is there', async () => {
    await assert.rejects(helm('install', 'web', chart), /cannot re-use a name that is still in use/);
  });

  it('runs the tests of a release', async () => {
    assert.match(await helm('test', 'web', '--timeout', '60s'), /Phase:\s+Succeeded/);
  });

  it('upgrades with what changed, and leaves what others changed', async () => {
    const password = (await of('v1/secrets').get('web')).data.password;
    await of('apps/v1/deployments').patch('web', {
      metadata: { labels: { added: 'by-hand' } },
      spec: { revisionHistoryLimit: 3 },
    });
    await helm('upgrade', 'web', large, ...wait, '--set', 'image=web:2,replicas=3,greeting=hi,extraPort=true');
    const { metadata, spec, status } = await deployment();
    assert.deepEqual([spec.template.spec.containers[0].image, status.readyReplicas], ['web:2', 3]);
    assert.deepEqual([metadata.labels.added, spec.revisionHistoryLimit], ['by-hand', 3]);
    assert.deepEqual(
      (await of('v1/services').get('web')).spec.ports.map((port: Json) => port.name),
      ['http', 'metrics'],
    );
    assert.equal((await of('v1/secrets').get('web')).data.password, password);
    assert.deepEqual((await of('v1/configmaps').get('web')).data, { greeting: 'hi', revision: '2' });
    assert.deepEqual((await of('v1/configmaps').get('web-upgraded')).data, { revision: '2' });
    assert.deepEqual(await history(), ['1 superseded', '2 deployed']);
  });

  it('takes back an upgrade that does not become ready', async () => {
    const upgrade = helm('upgrade', 'web', large, '--atomic', '--timeout', '8s', '--set', 'image=web:broken');
    await assert.rejects(upgrade, /UPGRADE FAILED: release web failed, and has been rolled back due to atomic being set/);
    assert.equal((await deployment()).spec.template.spec.containers[0].image, 'web:2');
    assert.deepEqual(await history(), ['1 superseded', '2 superseded', '3 failed', '4 deployed']);
  });

  it('rolls back', async () => {
    await helm('rollback', 'web', '1', '--wait', '--timeout', '60s');
    const { spec, status } = await deployment();
    assert.deepEqual([spec.replicas, spec.template.spec.containers[0].image, status.readyReplicas], [2, 'web:1', 2]);
    assert.deepEqual(
      (await of('v1/services').get('web')).spec.ports.map((port: Json) => port.name),
      ['http'],
    );
  });

  it('does not upgrade when the hook before it fails', async () => {
    const upgrade = helm('upgrade', 'web', chart, '--timeout', '30s', '--set', 'greeting=fails');
    await assert.rejects(upgrade, /pre-upgrade hooks failed: job failed: BackoffLimitExceeded/);
    assert.equal((await deployment()).spec.template.spec.containers[0].image, 'web:1');
  });

  it('uninstalls', async () => {
    await helm('uninstall', 'web', '--wait', '--timeout', '60s');
    assert.deepEqual(await releases(), []);
    for (const resource of ['apps/v1/deployments', 'v1/services', 'networking.k8s.io/v1/ingresses', 'batch/v1/cronjobs']) {
      assert.deepEqual((await of(resource).list()).items, [], resource);
    }
    await gone(of('v1/secrets'), 'sh.helm.release.v1.web.v1');
    assert.deepEqual((await of('v1/configmaps').get('web-upgraded')).data, { revision: '2' }, 'what hooks made stays');
  });
});
