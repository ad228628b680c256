/** The bundled kubectl against the server. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type RequestOptions, request } from 'node:http';
import { join } from 'node:path';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { run, skiffProgram } from '../support/machines.ts';
import type { Json, Resource } from './support/api.ts';
import { controlPlane, gone } from './support/control-plane.ts';
import { imageOf } from './support/pretended-node.ts';

const plane = controlPlane(async () => {
  await plane.addNode('node');
});

/** The arguments of `env` that start kubectl. */
function commandLine(args: readonly string[]): string[] {
  const environment = { SKIFF_DATA_DIR: plane.folder, KUBECONFIG: plane.kubeconfig, HOME: plane.folder };
  return [...Object.entries(environment).map(([name, value]) => `${name}=${value}`), skiffProgram, 'kubectl', ...args];
}

function kubectl(args: readonly string[], input = ''): Promise<string> {
  return run('env', commandLine(args), { input });
}

it('[sig-cli] Kubectl client Kubectl api-versions should check if v1 is in available api versions [Conformance]', async () => {
  assert.match(await kubectl(['api-versions']), /^v1$/m);
});

it('[sig-cli] Kubectl client Kubectl cluster-info should check if Kubernetes control plane services is included in cluster-info [Conformance]', async () => {
  // With the escapes that colour it.
  assert.match(await kubectl(['cluster-info']), /Kubernetes control plane.* is running at .*https:\/\/127\.0\.0\.1:\d+/);
});

it('[sig-cli] Kubectl client Kubectl version should check is all data is printed [Conformance]', async () => {
  const printed = await kubectl(['version']);
  for (const side of ['Client', 'Server']) assert.match(printed, new RegExp(`^${side} Version: v1\\.36\\.\\d+\\S*$`, 'm'));
});

it('[sig-cli] Kubectl client Kubectl diff should check if kubectl diff finds a difference for Deployments [Conformance]', async () => {
  const namespace = await plane.newNamespace();
  const labels = { app: 'web' };
  const manifest = (image: string): string =>
    JSON.stringify({
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', labels } },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'web', image }] } },
      },
    });
  const [live, declared] = ['registry.invalid/web:1', 'registry.invalid/other:2'] as const;
  await kubectl(['-n', namespace, 'create', '-f', '-'], manifest(live));
  const error = await kubectl(['-n', namespace, 'diff', '-f', '-'], manifest(declared)).then(
    () => assert.fail('kubectl found no difference'),
    (cause: Error & { code: number; stdout: string }) => cause,
  );
  assert.equal(error.code, 1, error.message);
  assert.match(error.stdout, /^-[- ]+image: registry\.invalid\/web:1$/m);
  assert.match(error.stdout, /^\+[- ]+image: registry\.invalid\/other:2$/m);
  assert.equal(await kubectl(['-n', namespace, 'diff', '-f', '-'], manifest(live)), '');
});

/** A namespace, and kubectl in it. */
async function inNamespace(): Promise<{ pods: Resource; run: (...args: readonly string[]) => Promise<string> }> {
  const pods = await plane.inNewNamespace('v1/pods');
  return { pods, run: (...args) => kubectl(['-n', pods.namespace!, ...args]) };
}

/** A replication controller of one pod, which runs, and a service for it. */
async function makeController(pods: Resource): Promise<Json> {
  const labels = { app: 'web', role: 'primary' };
  const metadata = { name: 'web', labels };
  const container = { name: 'web', image: 'registry.invalid/web:1', ports: [{ name: 'web', containerPort: 6379 }] };
  const template = { metadata: { labels }, spec: { containers: [container] } };
  const of = (resource: string): Resource => plane.api.resource(resource, pods.namespace);
  await of('v1/replicationcontrollers').create({ metadata, spec: { replicas: 1, selector: labels, template } });
  await of('v1/services').create({ metadata, spec: { selector: labels, ports: [{ port: 6379, targetPort: 'web' }] } });
  return eventually('the pod runs', async () => {
    const [pod] = (await pods.list()).items;
    return pod?.status.phase === 'Running' && pod;
  });
}

it('[sig-cli] Kubectl client Kubectl describe should check if kubectl describe prints relevant information for rc and pods [Conformance]', async () => {
  const { pods, run: kubectlHere } = await inNamespace();
  const { name } = (await makeController(pods)).metadata;
  const { namespace } = pods;
  /** Each row is a line: how it begins, and what else is in it. */
  const expected: Readonly<Record<string, string>> = {
    [`pod ${name}`]: `
      Name: | ${name}
      Namespace: | ${namespace}
      Node: | node
      Labels: | app=web
      Annotations:
      Status: | Running
      IP: | 10.
      Controlled By: | ReplicationController/web
      Image: | registry.invalid/web:1
      State: | Running
      QoS Class: | BestEffort`,
    'rc web': `
      Name: | web
      Namespace: | ${namespace}
      Selector: | app=web,role=primary
      Labels: | app=web
      Annotations:
      Replicas: | 1 current | 1 desired
      Pods Status: | 1 Running | 0 Waiting | 0 Succeeded | 0 Failed
      Pod Template:
      Image: | registry.invalid/web:1
      Events:`,
    'service web': `
      Name: | web
      Namespace: | ${namespace}
      Labels: | app=web
      Selector: | app=web | role=primary
      Type: | ClusterIP
      IP: | 10.43.
      Port: | <unset> | 6379/TCP
      Endpoints: | :6379
      Session Affinity: | None`,
    'node node': `
      Name: | node
      Labels:
      Annotations:
      CreationTimestamp:
      Conditions:
      Type | Status | LastHeartbeatTime | LastTransitionTime | Reason | Message
      Addresses:
      Capacity:
      Kernel Version:
      OS Image:
      Container Runtime Version:
      Kubelet Version:
      Non-terminated Pods:`,
    [`namespace ${namespace}`]: `
      Name: | ${namespace}
      Labels:
      Annotations:
      Status: | Active`,
  };
  for (const [what, rows] of Object.entries(expected)) {
    const lines = (await kubectlHere('describe', ...what.split(' '))).split('\n');
    for (const row of rows.trim().split('\n')) {
      const [heading, ...parts] = row.split('|').map((part) => part.trim()) as [string, ...string[]];
      const found = lines.some((line) => line.trim().startsWith(heading) && parts.every((part) => line.includes(part)));
      assert.ok(found, `${what}: ${row} in\n${lines.join('\n')}`);
    }
  }
});

it('[sig-cli] Kubectl client Kubectl expose should create services for rc [Conformance]', async () => {
  const { pods, run: kubectlHere } = await inNamespace();
  const { status } = await makeController(pods);
  const services = plane.api.resource('v1/services', pods.namespace);
  const slices = plane.api.resource('discovery.k8s.io/v1/endpointslices', pods.namespace);
  for (const [source, name, port] of [
    ['rc/web', 'second', 1234],
    ['service/second', 'third', 2345],
  ] as const) {
    await kubectlHere('expose', source, `--name=${name}`, `--port=${port}`, '--target-port=6379');
    const { ports } = (await services.get(name)).spec;
    assert.deepEqual([ports.length, ports[0].port, ports[0].targetPort], [1, port, 6379]);
    const slice = await eventually(`${name} has an endpoint`, async () => {
      const { items } = await slices.list({ labelSelector: `kubernetes.io/service-name=${name}` });
      return items.find((each: Json) => each.endpoints?.length === 1);
    });
    assert.deepEqual([slice.endpoints[0].addresses, slice.ports[0].port], [[status.podIP], 6379]);
  }
});

it('[sig-cli] Kubectl client Kubectl label should update the label on a resource [Conformance]', async () => {
  const { pods, run: kubectlHere } = await inNamespace();
  const { name } = (await makeController(pods)).metadata;
  await kubectlHere('label', 'pods', name, 'test=a-value');
  assert.match(await kubectlHere('get', 'pod', name, '-L', 'test'), /TEST\n.* a-value\n/);
  await kubectlHere('label', 'pods', name, 'test-');
  assert.doesNotMatch(await kubectlHere('get', 'pod', name, '-L', 'test'), /a-value/);
});

it('[sig-cli] Kubectl client Kubectl patch should add annotations for pods in rc [Conformance]', async () => {
  const { pods, run: kubectlHere } = await inNamespace();
  const { name } = (await makeController(pods)).metadata;
  await kubectlHere('patch', 'pod', name, '-p', '{"metadata":{"annotations":{"x":"y"}}}');
  assert.equal((await pods.get(name)).metadata.annotations.x, 'y');
});

const [image, otherImage] = ['registry.invalid/app:1', 'registry.invalid/other:2'] as const;

it('[sig-cli] Kubectl client Kubectl run pod should create a pod from an image when restart is Never [Conformance]', async () => {
  const { pods, run: kubectlHere } = await inNamespace();
  await kubectlHere('run', 'a', '--restart=Never', '--pod-running-timeout=1m', `--image=${image}`);
  const pod = await pods.get('a');
  assert.deepEqual([imageOf(pod), pod.spec.restartPolicy], [image, 'Never']);
});

it("[sig-cli] Kubectl client Kubectl replace should update a single-container pod's image [Conformance]", async () => {
  const { pods, run: kubectlHere } = await inNamespace();
  await kubectlHere('run', 'a', `--image=${image}`, '--labels=run=a');
  await kubectlHere('wait', '--for=condition=Ready', 'pod/a', '--timeout=30s');
  const shown = await kubectlHere('get', 'pod', 'a', '-o', 'json');
  const pod = JSON.parse(shown);
  pod.spec.containers[0].image = otherImage;
  await kubectl(['-n', pods.namespace!, 'replace', '-f', '-'], JSON.stringify(pod));
  assert.equal(imageOf(await pods.get('a')), otherImage);
});

it('[sig-cli] Kubectl client Kubectl server-side dry-run should check if kubectl can dry-run update Pods [Conformance]', async () => {
  const { pods, run: kubectlHere } = await inNamespace();
  await kubectlHere('run', 'a', `--image=${image}`, '--labels=run=a');
  const patch = JSON.stringify({ spec: { containers: [{ name: 'a', image: otherImage }] } });
  assert.match(
    await kubectlHere('patch', 'pod', 'a', '-p', patch, '--dry-run=server', '-o', 'yaml'),
    new RegExp(`image: ${otherImage}`),
  );
  assert.equal(imageOf(await pods.get('a')), image);
  await kubectlHere('delete', 'pods', 'a');
  await gone(pods, 'a');
});

it('[sig-cli] Kubectl client Proxy server should support proxy with --port 0 [Conformance]', async () => {
  await withProxy(['--port=0'], async (printed) => {
    const port = Number(/Starting to serve on 127\.0\.0\.1:(\d+)/.exec(printed)![1]);
    assert.deepEqual(await versionsAt({ host: '127.0.0.1', port }), ['v1']);
  });
});

it('[sig-cli] Kubectl client Proxy server should support --unix-socket=/path [Conformance]', async () => {
  const socketPath = join(plane.folder, 'proxy.sock');
  await withProxy([`--unix-socket=${socketPath}`], async () => assert.deepEqual(await versionsAt({ socketPath }), ['v1']));
});

/** Runs `kubectl proxy` while `use` is told what it printed first. */
async function withProxy(args: readonly string[], use: (printed: string) => Promise<void>): Promise<void> {
  const proxy = spawn('env', commandLine(['proxy', ...args]), { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [printed] = await once(proxy.stdout, 'data');
    await use(String(printed));
  } finally {
    proxy.kill();
    await once(proxy, 'exit');
  }
}

function versionsAt(where: RequestOptions): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const call = request({ ...where, path: '/api/' }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString()).versions));
    });
    call.on('error', reject).end();
  });
}
