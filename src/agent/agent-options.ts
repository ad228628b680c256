import type { Taint } from '../api/generated/types.ts';
import type { Pod } from '../api/kinds/core/pod.ts';
import type { Client } from '../client/client.ts';
import type { Informer } from '../client/informer.ts';
import type { InformerFactory } from '../client/informer-factory.ts';
import type { Clock } from '../lib/clock.ts';
import type { Component } from '../lib/component.ts';
import type { Logger } from '../lib/log.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Mounter } from './volumes/mounter.ts';

/** Everything that can be different between two agents; paths are absolute. */
export interface AgentOptions {
  /** `https://host:6443` */
  readonly server: string;
  /** Asked for when the node joins. */
  readonly token: () => string | undefined;
  readonly nodeName: string;
  /** The folder of the agent: tls/, images/, pods/ lie in it. */
  readonly dataDir: string;
  /** On a memory filesystem. */
  readonly runDir: string;
  /** Where container logs are, upstream's /var/log/pods. */
  readonly podLogsDir: string;
  /** Where the HTTPS server listens; port 10250, 0 for any. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Addresses to register; found out when empty. */
  readonly nodeIps: readonly string[];
  readonly nodeExternalIps: readonly string[];
  readonly nodeLabels: Readonly<Record<string, string>>;
  readonly nodeTaints: readonly Taint[];
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  /** The resolv.conf pods with dnsPolicy Default get; found out when absent. */
  readonly resolvConf?: string;
  /** Where control groups are mounted, /sys/fs/cgroup. */
  readonly cgroupMount: string;
  /** The group all pods are below, `/kubepods`. */
  readonly cgroupRoot: string;
  /** Where Localhost seccomp profiles are. */
  readonly seccompDir: string;
}

/** What components plugged into the agent get: pod network, service proxy, DNS. */
export interface AgentContext {
  readonly client: Client;
  readonly informers: InformerFactory;
  /** The pods of this node. */
  readonly pods: Informer<Pod>;
  readonly nodeName: string;
  /** The node's main address; known once it has been registered. */
  readonly nodeIp: () => string;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface AgentDeps {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly log: Logger;
  readonly mounter?: Mounter;
  /** Started before the runtime is used: the supervisor of containerd. */
  readonly before?: readonly Component[];
  /** Made when the node has its credentials; started before pods run. */
  readonly components?: (context: AgentContext) => readonly Component[];
  /** Empty when pods can be given a network. */
  readonly networkProblem?: () => string;
}
