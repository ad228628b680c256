import { join } from 'node:path';
import type { Taint } from '../api/generated/types.ts';
import type { Clock } from '../lib/clock.ts';
import type { Component } from '../lib/component.ts';
import type { Logger } from '../lib/log.ts';
import type { Backend } from '../net/pod-network/plan.ts';
import { createContainerdSupervisor } from '../runtime/containerd/supervisor.ts';
import { CriRuntime } from '../runtime/cri/cri-runtime.ts';
import { createAgent } from './agent.ts';
import type { AgentOptions } from './agent-options.ts';
import { createKernelModules } from './kernel-modules.ts';
import { NodeNetwork } from './network/node-network.ts';
import { SettingsSource } from './network/settings-source.ts';

/** Everything that can be different between two nodes; paths are absolute. */
export interface NodeOptions {
  /** `https://host:6443` */
  readonly server: string;
  /** Asked for when the node joins. */
  readonly token: () => string | undefined;
  readonly nodeName: string;
  /** The folder of the agent, on disk. */
  readonly dataDir: string;
  /** On a memory filesystem. */
  readonly runDir: string;
  readonly podLogsDir: string;
  /** containerd, shim, runc, and cni/ with the plugins. Asked for once, at start: it may have to be unpacked. */
  readonly programs: () => Promise<string>;
  /** The socket of a containerd that is not ours; then none is started. */
  readonly runtimeEndpoint?: string;
  readonly pauseImage?: string;
  readonly sharedShim: boolean;
  readonly kubeletPort: number;
  readonly nodeIps: readonly string[];
  readonly nodeExternalIps: readonly string[];
  readonly nodeLabels: Readonly<Record<string, string>>;
  readonly nodeTaints: readonly Taint[];
  readonly networkBackend: Backend;
  /** A resolv.conf with the resolvers for everything outside the cluster. */
  readonly resolvConf: string;
  /** The cgroup below which pods run, e.g. `/`. */
  readonly cgroupRoot: string;
  /** For pulling images through a proxy. */
  readonly proxyEnvironment: Readonly<Record<string, string>>;
}

const cgroupMount = '/sys/fs/cgroup';

/** The composition root of a node: its own containerd (or the host's), runtime, network, agent. Stopping leaves pods running. */
export function createNode(options: NodeOptions, deps: { clock: Clock; log: Logger }): Component {
  let agent: Component | undefined;
  return {
    name: 'node',
    async start() {
      agent = assemble(options, options.runtimeEndpoint === undefined ? await options.programs() : undefined, deps);
      await agent.start();
    },
    async stop() {
      await agent?.stop();
    },
  };
}

/** `programs` is the folder of the bundled programs; undefined with a containerd that is not ours. */
function assemble(options: NodeOptions, programs: string | undefined, { clock, log }: { clock: Clock; log: Logger }): Component {
  const { dataDir, runDir, sharedShim } = options;
  const cniConfDir = join(runDir, 'cni');
  const own = programs === undefined ? undefined : containerd(options, { programs, cniConfDir }, { clock, log });
  const runtime = new CriRuntime({
    socketPath: own?.socket ?? options.runtimeEndpoint!.replace(/^unix:\/\//, ''),
    runDir,
    sharedShim,
    logger: log,
    clock,
  });
  const settings = new SettingsSource(join(dataDir, 'cluster-settings.json'));
  let network: NodeNetwork | undefined;
  return createAgent(agentOptions(options, settings), {
    runtime,
    clock,
    log,
    before: [createKernelModules(log), ...(own ? [own] : [])],
    components: (context) => {
      network = new NodeNetwork(
        { backend: options.networkBackend, cniConfDir, runDir, resolvConf: options.resolvConf },
        context,
        settings,
      );
      return [network];
    },
    networkProblem: () => network?.problem ?? 'the network of the node is not set up yet',
  });
}

function containerd(
  options: NodeOptions,
  folders: { programs: string; cniConfDir: string },
  { clock, log }: { clock: Clock; log: Logger },
): ReturnType<typeof createContainerdSupervisor> {
  return createContainerdSupervisor({
    binDir: folders.programs,
    dataDir: join(options.dataDir, 'containerd'),
    runDir: join(options.runDir, 'containerd'),
    cniConfDir: folders.cniConfDir,
    cniBinDir: join(folders.programs, 'cni'),
    registriesDir: join(options.dataDir, 'registries'),
    ...(options.pauseImage === undefined ? {} : { pauseImage: options.pauseImage }),
    sharedShim: options.sharedShim,
    environment: options.proxyEnvironment,
    logger: log,
    clock,
  });
}

function agentOptions(options: NodeOptions, settings: SettingsSource): AgentOptions {
  const { server, token, nodeName, dataDir, runDir, podLogsDir, nodeIps, nodeExternalIps, nodeLabels, nodeTaints, resolvConf } =
    options;
  return {
    ...{ server, token, nodeName, dataDir, runDir, podLogsDir, nodeIps, nodeExternalIps, nodeLabels, nodeTaints, resolvConf },
    listen: { host: '::', port: options.kubeletPort },
    // Known when the network has started, which is before pods run.
    get clusterDns() {
      return settings.current ? [settings.current.clusterDns] : [];
    },
    get clusterDomain() {
      return settings.current?.clusterDomain ?? '';
    },
    cgroupMount,
    cgroupRoot: join('/', options.cgroupRoot, 'kubepods'),
    seccompDir: join(dataDir, 'seccomp'),
  };
}
