import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AgentDeps, type AgentOptions, createAgent } from '../../src/agent/agent.ts';
import type { Mounter } from '../../src/agent/volumes/mounter.ts';
import type { Container } from '../../src/api/generated/types.ts';
import { Event } from '../../src/api/kinds/core/event.ts';
import { Namespace } from '../../src/api/kinds/core/namespace.ts';
import { Pod } from '../../src/api/kinds/core/pod.ts';
import type { Client } from '../../src/client/client.ts';
import { createLoopbackClient } from '../../src/client/loopback-client.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Component } from '../../src/lib/component.ts';
import { createLogger } from '../../src/lib/log.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { startTestApi } from './api-server.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { type ThrowAwayTls, throwAwayTls } from './throw-away-tls.ts';

/** Mounts nothing: directories of the disk stand for memory filesystems. */
const noMounts: Mounter = {
  async tmpfs(path) {
    mkdirSync(path, { recursive: true });
  },
  async bind() {},
  async unmount() {},
  mountsBelow: async () => [],
};

export interface BenchOptions {
  /** Asked for at each start of the agent, which stops it in the end. */
  readonly runtime: () => Runtime;
  readonly folder?: string;
  readonly mounter?: Mounter;
  readonly options?: Partial<AgentOptions>;
  readonly components?: AgentDeps['components'];
}

/** The only node of the bench. */
export const nodeName = 'node-1';

/** An API server over memory, and the agent of one node that talks to it over HTTPS as in a cluster. It has joined already. */
export class AgentBench {
  readonly client: Client;
  readonly folder: string;
  readonly #tls: ThrowAwayTls;
  readonly #own: boolean;
  readonly #bench: BenchOptions;
  readonly #api: { server: { readonly port: number }; stop(): Promise<void> };
  #agent: Component | undefined;
  #port = 0;
  #apiStopped = false;

  static async start(bench: BenchOptions): Promise<AgentBench> {
    const tls = throwAwayTls();
    const api = await startTestApi({ overrides: { tls: tls.tls, host: '127.0.0.1' } });
    const client = createLoopbackClient(api.server.inProcess, { name: 'tester', groups: ['system:masters'] });
    const made = new AgentBench(bench, { tls, api, client });
    for (const name of ['default', 'kube-node-lease'])
      await client.create(Namespace, { metadata: { name }, spec: {} }).catch(() => undefined);
    await made.startAgent();
    return made;
  }

  private constructor(
    bench: BenchOptions,
    deps: { tls: ThrowAwayTls; api: { server: { readonly port: number }; stop(): Promise<void> }; client: Client },
  ) {
    this.#bench = bench;
    this.#tls = deps.tls;
    this.#api = deps.api;
    this.client = deps.client;
    this.#own = bench.folder === undefined;
    this.folder = bench.folder ?? mkdtempSync(join(tmpdir(), 'skiff-agent-'));
    this.#writeCredentials();
  }

  get podLogsDir(): string {
    return join(this.folder, 'logs');
  }

  async startAgent(): Promise<void> {
    const { runtime, mounter = noMounts, components } = this.#bench;
    this.#port = await freePort();
    const log = createLogger({
      level: process.env['SKIFF_TEST_DEBUG'] ? 'debug' : 'error',
      write: (line) => process.stderr.write(line),
    });
    this.#agent = createAgent(this.#options(), {
      runtime: runtime(),
      clock: systemClock,
      log,
      mounter,
      ...(components ? { components } : {}),
    });
    await this.#agent.start();
  }

  async stopAgent(): Promise<void> {
    await this.#agent?.stop();
    this.#agent = undefined;
  }

  /** The server goes away, for good. */
  async stopApi(): Promise<void> {
    if (!this.#apiStopped) await this.#api.stop();
    this.#apiStopped = true;
  }

  async stop(): Promise<void> {
    await this.stopAgent();
    await this.stopApi();
    if (this.#own) rmSync(this.folder, { recursive: true, force: true });
  }

  /** Creates a pod assigned to the node. */
  async runPod(
    name: string,
    spec: Partial<Pod['spec']> & { containers: Container[] },
    metadata: Partial<Pod['metadata']> = {},
  ): Promise<Pod> {
    return this.client.create(Pod, {
      metadata: { name, namespace: 'default', ...metadata },
      spec: {
        nodeName,
        terminationGracePeriodSeconds: 1,
        enableServiceLinks: false,
        automountServiceAccountToken: false,
        ...spec,
      },
    });
  }

  pod(name: string): Promise<Pod> {
    return this.client.get(Pod, { namespace: 'default', name });
  }

  /** Waits until the pod is as `test` wants it. */
  podWhen(name: string, what: string, test: (pod: Pod) => unknown, timeoutMs = 15_000): Promise<Pod> {
    return eventually(
      `${name}: ${what}`,
      async () => {
        const pod = await this.pod(name);
        if (test(pod)) return pod;
        throw new Error(JSON.stringify(pod.status));
      },
      timeoutMs,
    );
  }

  gone(name: string): Promise<boolean> {
    return eventually(
      `${name} is gone`,
      () =>
        this.pod(name).then(
          () => false,
          () => true,
        ),
      15_000,
    );
  }

  /** `reason message` of the events about a pod, in order of their first time. */
  async events(name: string): Promise<string[]> {
    const { items } = await this.client.list(Event, { namespace: 'default' });
    return items
      .filter((e) => e.involvedObject.name === name)
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
      .map((e) => `${e.reason} ${e.message}`);
  }

  /** Asks the agent's own server, as the API server would. */
  async ask(path: string): Promise<{ status: number; body: string }> {
    const { certificatePem, keyPem } = this.#tls.client('kube-apiserver-kubelet-client', ['system:masters']);
    return new Promise((resolve, reject) => {
      const request = httpsRequest(
        { host: '127.0.0.1', port: this.#port, path, ca: this.#tls.caPem, cert: certificatePem, key: keyPem, agent: false },
        (response) => {
          let body = '';
          response.on('data', (chunk: Buffer) => (body += chunk.toString()));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        },
      );
      request.on('error', reject);
      request.end();
    });
  }

  /** For clients that speak other protocols. */
  get connection(): { port: number; ca: string; cert: string; key: string } {
    const { certificatePem, keyPem } = this.#tls.client('kube-apiserver-kubelet-client', ['system:masters']);
    return { port: this.#port, ca: this.#tls.caPem, cert: certificatePem, key: keyPem };
  }

  #options(): AgentOptions {
    return {
      server: `https://127.0.0.1:${this.#api.server.port}`,
      token: () => undefined,
      nodeName,
      dataDir: join(this.folder, 'agent'),
      runDir: join(this.folder, 'run'),
      podLogsDir: this.podLogsDir,
      listen: { host: '127.0.0.1', port: this.#port },
      nodeIps: ['127.0.0.1'],
      nodeExternalIps: [],
      nodeLabels: {},
      nodeTaints: [],
      clusterDns: ['10.43.0.10'],
      clusterDomain: 'cluster.local',
      cgroupMount: join(this.folder, 'no-cgroups'),
      cgroupRoot: '/kubepods',
      seccompDir: join(this.folder, 'seccomp'),
      ...this.#bench.options,
    };
  }

  /** What joining would have left. */
  #writeCredentials(): void {
    const directory = join(this.folder, 'agent/tls');
    mkdirSync(directory, { recursive: true });
    const write = (name: string, text: string): void => writeFileSync(join(directory, name), text, { mode: 0o600 });
    const { certificatePem, keyPem } = this.#tls.client(`system:node:${nodeName}`, ['system:nodes']);
    write('server-ca.crt', this.#tls.caPem);
    for (const name of ['client-node', 'serving-node']) {
      write(`${name}.crt`, certificatePem);
      write(`${name}.key`, keyPem);
    }
  }
}
