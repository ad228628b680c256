/**
 * `SKIFF_E2E_TEST=/path/to/e2e.test node test/conformance/run.ts [WORDS …]`: runs Kubernetes' own end-to-end tests against a server of its own
 * and fails on a name of passing.txt that does not pass. WORDS narrow it to the names that contain all of them; `--list FILE` takes the names
 * from another file, which is how passing.txt grows. Needs `npm run build -- x64` for kubectl.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { eventually } from '../support/eventually.ts';
import { skiffProgram } from '../support/machines.ts';
import { ControlPlane } from './support/control-plane.ts';

const passingFile = 'test/conformance/passing.txt';
/** What the tests print, in full. */
const logFile = resolve('dist/conformance.log');
const nodeName = 'conformance';
const leaseSeconds = 40;
const heartbeatMs = 10_000;

interface SpecReport {
  readonly ContainerHierarchyTexts: readonly string[] | null;
  readonly LeafNodeText: string;
  readonly State: string;
  readonly Failure?: { readonly Message: string; readonly Location: { readonly FileName: string; readonly LineNumber: number } };
}

const e2eTest = process.env['SKIFF_E2E_TEST'];
if (e2eTest) process.exitCode = await main(e2eTest, process.argv.slice(2));
else console.log('skipped: Kubernetes’ end-to-end tests are no part of Skiff; set SKIFF_E2E_TEST to an e2e.test of v1.36');

async function main(program: string, words: string[]): Promise<number> {
  const list = words.indexOf('--list');
  const file = list < 0 ? passingFile : words.splice(list, 2)[1]!;
  const names = readNames(file).filter((name) => words.every((word) => name.includes(word)));
  const plane = new ControlPlane();
  const ended = new AbortController();
  try {
    await plane.start();
    await addNode(plane, ended.signal);
    const report = join(plane.folder, 'report.json');
    await runTests(program, names, plane, report);
    return judge(names, JSON.parse(readFileSync(report, 'utf8'))[0].SpecReports);
  } finally {
    ended.abort();
    await plane.stop();
  }
}

function readNames(file: string): string[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line && !line.startsWith('#'));
}

/** A ready node without room for a pod: some tests ask for a node, but none of these for what only an agent can do. */
async function addNode(plane: ControlPlane, ended: AbortSignal): Promise<void> {
  const nodes = plane.api.resource('v1/nodes');
  const leases = plane.api.resource('coordination.k8s.io/v1/leases', 'kube-node-lease');
  await nodes.create({ metadata: { name: nodeName } });
  const now = new Date().toISOString();
  const ready = { type: 'Ready', status: 'True', reason: 'Test', lastHeartbeatTime: now, lastTransitionTime: now };
  await nodes.patch(nodeName, { status: { allocatable: { pods: '0' }, conditions: [ready] } }, { subresource: 'status' });
  const renewTime = (): string => `${new Date().toISOString().slice(0, -1)}000Z`;
  const spec = { holderIdentity: nodeName, leaseDurationSeconds: leaseSeconds, renewTime: renewTime() };
  await leases.create({ metadata: { name: nodeName }, spec });
  const beat = (): void => {
    const timer = setTimeout(
      () => leases.patch(nodeName, { spec: { renewTime: renewTime() } }).then(beat, console.error),
      heartbeatMs,
    );
    ended.addEventListener('abort', () => clearTimeout(timer), { once: true });
  };
  beat();
  await eventually('the node may be scheduled to', async () => !(await nodes.get(nodeName)).spec.taints, 30_000);
}

/** One test after the other. That some fail shows in the report. */
async function runTests(program: string, names: readonly string[], plane: ControlPlane, report: string): Promise<void> {
  const kubectl = join(plane.folder, 'kubectl');
  symlinkSync(skiffProgram, kubectl);
  const literal = (name: string): string => name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  // Ginkgo puts the name of the suite before it.
  const focus = ` (${names.map(literal).join('|')})$`;
  const cluster = ['--provider=local', '--num-nodes=1', '--allowed-not-ready-nodes=-1', `--kubeconfig=${plane.kubeconfig}`];
  const shape = [`--kubectl-path=${kubectl}`, `--ginkgo.focus=${focus}`, '--ginkgo.timeout=2h', '--ginkgo.no-color'];
  const log = openSync(logFile, 'w');
  const tests = spawn(program, [...cluster, ...shape, `--ginkgo.json-report=${report}`], {
    stdio: ['ignore', log, log],
    cwd: plane.folder,
    env: { ...process.env, HOME: plane.folder, SKIFF_DATA_DIR: plane.folder },
  });
  await once(tests, 'exit');
  closeSync(log);
}

/** Prints what did not pass, and why; 1 when there is such a test, else 0. */
function judge(names: readonly string[], specs: readonly SpecReport[]): number {
  const results = new Map(specs.map((spec) => [[...(spec.ContainerHierarchyTexts ?? []), spec.LeafNodeText].join(' '), spec]));
  const failed = names.filter((name) => results.get(name)?.State !== 'passed');
  for (const name of failed) {
    const spec = results.get(name);
    const { FileName, LineNumber } = spec?.Failure?.Location ?? {};
    console.log(
      `\nFAIL ${name}\n${spec?.State ?? 'no such test'} ${FileName ?? ''}:${LineNumber ?? ''}\n${spec?.Failure?.Message ?? ''}`,
    );
  }
  console.log(`${names.length - failed.length} passed, ${failed.length} failed`);
  if (failed.length > 0) console.log(`everything the tests said is in ${logFile}`);
  return failed.length > 0 ? 1 : 0;
}
