import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:https';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { eventually } from '../support/eventually.ts';
import { isolated } from '../support/isolated.ts';
import { type Machine, Machines, type SkiffProcess, skiffProgram } from '../support/machines.ts';
import { Figures } from './figures.ts';
import { diskMb, installedEnvironment, median, processesBelow } from './measure.ts';

const releaseFile = `dist/release/skiff-linux-${process.arch}.xz`;
const runs = 3;
/** How often a starting server is asked. */
const askMs = 10;
const startLimitMs = 60_000;
/** Times in the API have whole seconds: those of the next start must differ. */
const apartMs = 1_100;

interface NodeObject {
  readonly status: { readonly conditions: readonly { type: string; status: string; lastHeartbeatTime: string }[] };
}

isolated(import.meta.url, (place) => {
  describe('start', () => {
    const machines = new Machines(place);
    const figures = new Figures();
    let pi: Machine;
    let skiff: SkiffProcess;

    /** Runs the server until its node is ready; returns the seconds from exec to API ready and node Ready. */
    const start = async (): Promise<{ api: number; node: number }> => {
      const wallMs = Date.now();
      const startedAt = performance.now();
      skiff = pi.start(['server', ...pi.flags, '--write-kubeconfig', pi.kubeconfig], installedEnvironment());
      await until(async () => (await ask(pi, '/readyz', new Agent({ rejectUnauthorized: false }))) === 'ok');
      const api = performance.now();
      const agent = await eventually('the kubeconfig', () => administrator(pi));
      const ready = async (): Promise<boolean> =>
        isReadySince(JSON.parse(await ask(pi, `/api/v1/nodes/${pi.name}`, agent)) as NodeObject, wallMs);
      await until(ready);
      agent.destroy();
      return { api: (api - startedAt) / 1000, node: (performance.now() - startedAt) / 1000 };
    };

    before(() => {
      pi = machines.add('pi1');
      rmSync(join(pi.dataDir, 'agent/images/busybox.tar'));
      execFileSync('ip', ['address', 'add', '192.168.77.1/24', 'dev', 'sw0']);
    });
    after(async () => {
      if (process.env['SKIFF_TEST_DEBUG']) console.error(pi.log);
      figures.print();
      await machines.stop();
    });

    it('takes little space after the first start', async () => {
      const first = await start();
      const [program, data] = [releasedProgramMb(), diskMb(pi.dataDir)];
      if (program === undefined) figures.remark(`space on disk: ${releaseFile} is missing, npm run release makes it`);
      else figures.add('diskAfterFirstStartMb', program + data, `program ${program.toFixed(1)}, data ${data.toFixed(1)}`);
      figures.remark(`of this build: program ${diskMb(skiffProgram).toFixed(1)} MB, data ${data.toFixed(1)} MB`);
      figures.remark(
        `first start, unpacking: API ready after ${first.api.toFixed(2)} s, node Ready after ${first.node.toFixed(2)} s`,
      );
    });

    it('is ready soon, also when containerd has to start', async () => {
      const times: { api: number; node: number }[] = [];
      for (let n = 0; n < runs; n++) {
        await skiff.stop();
        for (const pid of processesBelow(pi.dataDir)) process.kill(pid);
        await eventually('the end of containerd', () => processesBelow(pi.dataDir).length === 0);
        await sleep(apartMs);
        times.push(await start());
      }
      const note = (values: readonly number[]): string => `runs: ${values.map((v) => v.toFixed(2)).join(', ')}`;
      const [api, node] = [times.map((t) => t.api), times.map((t) => t.node)];
      figures.add('apiReadySeconds', median(api), note(api));
      figures.add('nodeReadySeconds', median(node), note(node));
    });

    it('keeps its budget', () => figures.check());
  });
});

/** What install.sh puts on the disk, packed smaller than what `npm run build` makes; undefined without a release. */
function releasedProgramMb(): number | undefined {
  if (!existsSync(releaseFile)) return undefined;
  // Sizes of the file in bytes, packed and unpacked, in columns of a line that starts with `totals`.
  const list = execFileSync('xz', ['--robot', '--list', releaseFile], { encoding: 'utf8' });
  return Number(/^totals\t\d+\t\d+\t\d+\t(\d+)/m.exec(list)?.[1]) / 1e6;
}

/** Ready, and said so by this run: the conditions of the run before are still there at first. */
function isReadySince(node: NodeObject, wallMs: number): boolean {
  const ready = node.status.conditions.find((c) => c.type === 'Ready');
  return ready?.status === 'True' && Date.parse(ready.lastHeartbeatTime) >= Math.floor(wallMs / 1000) * 1000;
}

async function until(probe: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + startLimitMs;
  for (;;) {
    if (await probe().catch(() => false)) return;
    if (performance.now() > deadline) throw new Error(`not ready within ${startLimitMs} ms`);
    await sleep(askMs);
  }
}

/** One connection with the administrator's certificate. */
function administrator(machine: Machine): Agent {
  const { clusters, users } = parse(readFileSync(machine.kubeconfig, 'utf8')) as {
    clusters: [{ cluster: { 'certificate-authority-data': string } }];
    users: [{ user: { 'client-certificate-data': string; 'client-key-data': string } }];
  };
  const pem = (base64: string): Buffer => Buffer.from(base64, 'base64');
  return new Agent({
    keepAlive: true,
    ca: pem(clusters[0].cluster['certificate-authority-data']),
    cert: pem(users[0].user['client-certificate-data']),
    key: pem(users[0].user['client-key-data']),
  });
}

function ask(machine: Machine, path: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: machine.ip, port: 6443, path, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => (response.statusCode === 200 ? resolve(text) : reject(new Error(text))));
      response.on('error', reject);
    }).on('error', reject);
  });
}
