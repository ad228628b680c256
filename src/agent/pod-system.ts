import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '../api/generated/types.ts';
import { Service } from '../api/kinds/core/service.ts';
import { RuntimeClass } from '../api/kinds/node/runtime-class.ts';
import type { Client } from '../client/client.ts';
import { createEventRecorder } from '../client/event-recorder.ts';
import type { InformerFactory } from '../client/informer-factory.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { AgentOptions } from './agent-options.ts';
import type { CgroupLayout } from './cgroup/cgroup-files.ts';
import { FilePodCgroups, type PodCgroups } from './cgroup/pod-cgroups.ts';
import { ImagePuller } from './images/image-puller.ts';
import type { HostFacts } from './node/host-facts.ts';
import { ObjectWatcher } from './objects/object-watcher.ts';
import { PodCheckpoints } from './pod/checkpoint.ts';
import { ContainerResizer } from './pod/container-resizer.ts';
import { type ContainerEvent, ContainerStarter } from './pod/container-starter.ts';
import { parseResolvConf } from './pod/dns-config.ts';
import type { Allocatable } from './pod/field-ref.ts';
import type { ReferencedObjects } from './pod/objects.ts';
import { PodManager } from './pod/pod-manager.ts';
import { PodObserver } from './pod/pod-observer.ts';
import { PodReporter } from './pod/pod-reporter.ts';
import { PodRunner } from './pod/pod-runner.ts';
import { PodTerminator } from './pod/pod-terminator.ts';
import { ProbeManager } from './probes/probe-manager.ts';
import type { Mounter } from './volumes/mounter.ts';
import { ServiceAccountTokens } from './volumes/service-account-tokens.ts';
import { VolumeManager } from './volumes/volume-manager.ts';

export interface PodSystemDeps {
  readonly options: AgentOptions;
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly runtime: Runtime;
  readonly mounter: Mounter;
  readonly clock: Clock;
  readonly log: Logger;
  readonly layout: CgroupLayout;
  readonly facts: HostFacts;
  readonly resolvConf: string;
  readonly runtimeName: () => string;
  readonly hostIPs: () => readonly string[];
  readonly allocatable: () => Allocatable;
  readonly networkProblem: () => string;
  readonly cgroups?: PodCgroups;
}

export interface PodSystem {
  readonly manager: PodManager;
  readonly checkpoints: PodCheckpoints;
  readonly objects: ObjectWatcher;
  readonly cgroups: PodCgroups;
  readonly probes: ProbeManager;
  /** Where secrets and tokens of pods are, on a memory filesystem. */
  readonly memoryRoot: string;
}

/** How long a container waits for the list of services its environment is made of, when the server does not answer. */
const servicesPatienceMs = 5_000;

/** Puts together everything that runs pods. */
export function createPodSystem(deps: PodSystemDeps): PodSystem {
  const { options, client, runtime, clock, log, layout, mounter } = deps;
  const podsRoot = join(options.dataDir, 'pods');
  const memoryRoot = join(options.runDir, 'pods');
  const event = podEvents(deps);
  // The manager is named by those it is made of: they wake it when something has changed.
  const late: { manager?: PodManager } = {};
  const wake = (uid: string): void => late.manager?.wake(uid);

  const checkpoints = new PodCheckpoints(podsRoot);
  const objects = new ObjectWatcher(
    { client, clock, log },
    { onChange: (uid) => late.manager?.retry(uid), offline: (uid, kind, name) => checkpoints.object(uid, kind, name) },
  );
  const cgroups = deps.cgroups ?? new FilePodCgroups({ layout, root: options.cgroupRoot, log });
  const volumes = new VolumeManager({
    client,
    objects,
    tokens: new ServiceAccountTokens({ client, clock }),
    mounter,
    podsRoot,
    memoryRoot,
    allocatable: deps.allocatable,
  });
  const probes = new ProbeManager({
    runtime,
    clock,
    onChange: wake,
    onUnhealthy: (pod, spec, message) => event(pod, spec, 'Warning', 'Unhealthy', message),
  });
  const observer = new PodObserver({ runtime, podsRoot, podLogsRoot: options.podLogsDir });
  const reporter = new PodReporter({ client, clock, log, probes, hostIPs: deps.hostIPs, runtimeName: deps.runtimeName });
  const terminator = new PodTerminator({ runtime, clock, event });
  const node = { memoryBytes: deps.facts.memoryBytes, cgroupVersion: layout.version };
  const parts = { runtime, clock, observer, terminator, probes, volumes, cgroups, podLogsRoot: options.podLogsDir };
  const runner = new PodRunner({
    ...parts,
    starter: createStarter(deps, { podsRoot, objects, event }),
    resizer: new ContainerResizer({ runtime, cgroups, terminator, node }),
    event,
    hostDns: async () => parseResolvConf(await readFile(deps.resolvConf, 'utf8').catch(() => '')),
    clusterDns: () => ({ servers: options.clusterDns, domain: options.clusterDomain }),
    networkProblem: () => networkProblem(deps),
    runtimeHandler: (pod) => runtimeHandler(client, pod),
    seccompRoot: options.seccompDir,
    report: (state) => reporter.report(state),
  });
  const manager = new PodManager({ ...parts, client, log, runner, reporter, objects, checkpoints });
  late.manager = manager;
  return { manager, checkpoints, objects, cgroups, probes, memoryRoot };
}

function createStarter(
  deps: PodSystemDeps,
  { podsRoot, objects, event }: { podsRoot: string; objects: ReferencedObjects; event: ContainerEvent },
): ContainerStarter {
  const { options, runtime, clock, mounter, layout } = deps;
  return new ContainerStarter({
    runtime,
    clock,
    puller: new ImagePuller({ runtime, clock }),
    objects,
    mounter,
    event,
    services: serviceSource(deps),
    allocatable: deps.allocatable,
    hostFile: () => readFile('/etc/hosts', 'utf8').catch(() => ''),
    settings: {
      podsRoot,
      podLogsRoot: options.podLogsDir,
      seccompRoot: options.seccompDir,
      // The network tells it when it has started.
      clusterDomain: () => options.clusterDomain,
      memoryBytes: deps.facts.memoryBytes,
      cgroupVersion: layout.version,
    },
  });
}

/** Empty when a pod can be given a network now. */
async function networkProblem({ runtime, networkProblem }: PodSystemDeps): Promise<string> {
  const own = networkProblem();
  if (own !== '') return own;
  const { networkReady, message } = await runtime.status();
  return networkReady ? '' : message || 'the runtime has no network configuration';
}

function podEvents({ client, clock, log, options }: PodSystemDeps): ContainerEvent {
  const recorder = createEventRecorder({ client, clock, log, component: 'kubelet', host: options.nodeName });
  return (pod, container, type, reason, message) => {
    const { namespace, name, uid, resourceVersion } = pod.metadata;
    const list = pod.spec.initContainers?.some((c) => c === container || c.name === container?.name)
      ? 'initContainers'
      : 'containers';
    recorder.event(
      {
        apiVersion: 'v1',
        kind: 'Pod',
        name,
        uid,
        resourceVersion,
        ...(namespace === undefined ? {} : { namespace }),
        ...(container ? { fieldPath: `spec.${list}{${container.name}}` } : {}),
      },
      type,
      reason,
      message,
    );
  };
}

/** The services a container's environment is made of. Waits for them once; without a server there are none. */
function serviceSource({ informers, clock }: PodSystemDeps): () => Promise<readonly Service[]> {
  let waited: Promise<void> | undefined;
  return async () => {
    const informer = informers.get(Service);
    waited ??= new Promise<void>((resolve) => {
      const cancel = clock.after(servicesPatienceMs, resolve);
      void informer.synced.then(() => {
        cancel();
        resolve();
      });
    });
    if (!informer.hasSynced) await waited;
    return informer.list();
  };
}

async function runtimeHandler(client: Client, pod: Pod): Promise<string> {
  const name = pod.spec.runtimeClassName;
  if (!name) return '';
  return (await client.get(RuntimeClass, { name })).handler;
}
