import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { Node } from '../../../src/api/kinds/core/node.ts';
import { ServiceAccount } from '../../../src/api/kinds/core/service-account.ts';
import { kubeconfigText } from '../../../src/pki/kubeconfig.ts';
import { systemMaster } from '../../../src/server/auth/user.ts';
import { fetchTestBinaries } from '../../support/fetch-test-binaries.ts';
import { startGuardedApi } from '../../support/guarded-api.ts';
import { throwAwayTls } from '../../support/throw-away-tls.ts';

/** The kubectl under test: that of $KUBECTL, or the oldest in wide use. */
const kubectlPath = process.env['KUBECTL'] ?? resolve(fetchTestBinaries(), 'kubectl-1.32');
const folder = mkdtempSync(join(tmpdir(), 'skiff-kubectl-'));
let stop: () => Promise<void>;

before(async () => {
  const tls = throwAwayTls();
  const started = await startGuardedApi({ overrides: { tls: tls.tls, host: '127.0.0.1' } });
  stop = started.stop;
  const api = started.server.inProcess;
  await api.create(systemMaster, ServiceAccount, { metadata: { name: 'default', namespace: 'default' } });
  await api.create(systemMaster, Node, { metadata: { name: 'n1' }, spec: {} });
  const server = `https://127.0.0.1:${started.server.port}`;
  writeFileSync(join(folder, 'config'), kubeconfigText({ server, caPem: tls.caPem, credential: { token: 'anything' } }));
});

after(async () => {
  await stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function kubectl(args: readonly string[], input?: string): Promise<Run> {
  return new Promise((resolve) => {
    const child = execFile(
      kubectlPath,
      [...args],
      { env: { PATH: process.env['PATH'], HOME: folder, KUBECONFIG: join(folder, 'config') }, timeout: 20_000 },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
    );
    child.stdin?.end(input ?? '');
  });
}

async function works(args: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await kubectl(args, input);
  assert.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

const configMap = (data: Record<string, string>) =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cm1', namespace: 'default' }, data });
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p1', namespace: 'default', labels: { app: 'web' } },
  spec: { containers: [{ name: 'c', image: 'nginx:1' }] },
};

test('version and api-resources', async () => {
  assert.match(await works(['version', '-o', 'json']), /"serverVersion"/);
  assert.match(await works(['api-resources']), /deployments\s+deploy\s+apps\/v1\s+true\s+Deployment/);
});

test('a config map: create, get, label, patch, delete', async () => {
  await works(['create', 'configmap', 'typed', '--from-literal=a=1']);
  assert.match(await works(['get', 'configmap', 'typed']), /typed\s+1\s+\d+s/);
  await works(['label', 'configmap', 'typed', 'x=y']);
  assert.equal(await works(['get', 'cm', '-l', 'x=y', '-o', 'name']), 'configmap/typed\n');
  await works(['patch', 'configmap', 'typed', '--type=merge', '-p', '{"data":{"b":"2"}}']);
  assert.equal(await works(['get', 'cm', 'typed', '-o', 'jsonpath={.data.b}']), '2');
  assert.match(await works(['delete', 'configmap', 'typed']), /deleted/);
  assert.equal((await kubectl(['get', 'cm', 'typed'])).code, 1);
});

test('apply creates, changes and leaves alone', async () => {
  assert.match(await works(['apply', '-f', '-'], configMap({ a: '1', b: '1' })), /created/);
  assert.match(await works(['apply', '-f', '-'], configMap({ a: '2' })), /configured/);
  assert.equal(await works(['get', 'cm', 'cm1', '-o', 'jsonpath={.data}']), '{"a":"2"}');
  assert.match(await works(['apply', '-f', '-'], configMap({ a: '2' })), /unchanged/);
});

test('pods: create, wait, describe, delete', async () => {
  await works(['create', '-f', '-'], JSON.stringify(pod));
  assert.match(await works(['get', 'pods', '-A', '-o', 'wide']), /default\s+p1\s+0\/1\s+Pending/);
  assert.match(await works(['describe', 'pod', 'p1']), /Image:\s+nginx:1/);
  await works(['delete', 'pod', 'p1', '--wait=true']);
  assert.match((await kubectl(['get', 'pod', 'p1'])).stderr, /pods "p1" not found/);
});

const deployment = (image: string) =>
  JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } },
    },
  });

/** Commands that must work one after the other; what some of them read comes as input. */
const commands: readonly (readonly [command: string, input?: string])[] = [
  ['get all -A'],
  ['create deployment typed --image=nginx --replicas=2'],
  ['create job j1 --image=busybox -- date'],
  ['create ns ns1'],
  ['create secret generic s1 --from-literal=a=b'],
  ['create role r1 --verb=get --resource=pods'],
  ['create rolebinding rb --role=r1 --user=bob'],
  ['create ingress i1 --rule=foo.com/*=svc:80'],
  ['create quota q1 --hard=count/leases.coordination.k8s.io=10'],
  ['create pdb p1 --selector=app=web --min-available=1'],
  ['create serviceaccount sa1'],
  ['create priorityclass pc1 --value=10'],
  ['apply --validate=false -f -', deployment('a:1')],
  ['apply --validate=false --server-side --force-conflicts -f -', deployment('a:2')],
  ['replace --validate=false -f -', deployment('a:3')],
  ['scale deploy web --replicas=3'],
  ['scale deploy web --current-replicas=3 --replicas=2'],
  ['set image deploy/web c=nginx:9'],
  ['set env deploy/web A=b'],
  ['rollout restart deploy/web'],
  ['rollout pause deploy/web'],
  ['rollout history deploy/web'],
  ['autoscale deploy web --max=4'],
  ['get hpa,svc,ep'],
  ['expose deploy web --port=80'],
  ['annotate deploy web a=b'],
  ['taint nodes n1 k=v:NoSchedule'],
  ['cordon n1'],
  ['drain n1 --force --ignore-daemonsets'],
  ['uncordon n1'],
  ['auth can-i create pods'],
  ['auth can-i --list'],
  ['auth whoami'],
  ['run r1 --image=nginx'],
  ['wait --for=jsonpath={.status.phase}=Pending pod/r1'],
  ['debug r1 --image=busybox --target=r1 -c dbg'],
  ['logs r1'],
  ['describe node n1'],
  ['describe deploy web'],
  ['events'],
  ['patch deploy web --type=json -p [{"op":"replace","path":"/spec/replicas","value":5}]'],
  ['patch deploy web --subresource=status --type=merge -p {"status":{"replicas":5}}'],
  ['get deploy web --subresource=scale'],
  ['get cs'],
  ['get --raw /readyz?verbose'],
  ['get pods --field-selector=status.phase=Pending --sort-by=.metadata.name'],
  ['delete pod r1 --force --grace-period=0'],
  ['delete all --all'],
  ['delete ns ns1 --wait=false'],
];

test('the commands of every day', async (t) => {
  for (const [command, input] of commands) await t.test(command, async () => void (await works(command.split(' '), input)));
});

test('refusals come with their reasons', async () => {
  const refused = await kubectl(['get', 'pods', '--as', 'eve']);
  assert.match(refused.stderr, /User "eve" cannot list resource "pods" in API group "" in the namespace "default"/);
  await works(['run', 'nowhere', '--image=nginx']);
  assert.match((await kubectl(['exec', 'nowhere', '--', 'ls'])).stderr, /pod nowhere does not have a host assigned/);
});
