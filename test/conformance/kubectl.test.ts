/** The bundled kubectl against the server. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type RequestOptions, request } from 'node:http';
import { join } from 'node:path';
import { it } from 'node:test';
import { run, skiffProgram } from '../support/machines.ts';
import { controlPlane } from './support/control-plane.ts';

const plane = controlPlane();

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
