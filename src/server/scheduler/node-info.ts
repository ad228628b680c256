import type { Node } from '../../api/kinds/core/node.ts';
import type { Pod } from '../../api/kinds/core/pod.ts';
import { type Amounts, amountsOf, type HostPort, hostPorts, podRequests } from './resources.ts';

/** A node as the scheduler sees it: what it offers, who is on it, what they take. */
export class NodeInfo {
  readonly name: string;
  readonly pods = new Map<string, Pod>();
  readonly requested = new Map<string, number>();
  /** Requests with the assumed minimum, for comparing nodes. */
  readonly assumedRequested = new Map<string, number>();
  node: Node | undefined;
  allocatable: Amounts = new Map();
  #ports: HostPort[] | undefined;

  constructor(name: string) {
    this.name = name;
  }

  setNode(node: Node | undefined): void {
    this.node = node;
    this.allocatable = amountsOf(node?.status.allocatable);
  }

  get labels(): Readonly<Record<string, string>> {
    return this.node?.metadata.labels ?? {};
  }

  /** Ports of the node that are taken. */
  get ports(): readonly HostPort[] {
    this.#ports ??= [...this.pods.values()].flatMap((pod) => hostPorts(pod.spec));
    return this.#ports;
  }

  add(pod: Pod): void {
    this.pods.set(pod.metadata.uid, pod);
    this.#count(pod, 1);
  }

  remove(pod: Pod): void {
    const known = this.pods.get(pod.metadata.uid);
    if (!known) return;
    this.pods.delete(pod.metadata.uid);
    this.#count(known, -1);
  }

  /** The same node without some pods, for asking "what if". */
  without(pods: readonly Pod[]): NodeInfo {
    const gone = new Set(pods.map((p) => p.metadata.uid));
    const copy = new NodeInfo(this.name);
    copy.setNode(this.node);
    for (const pod of this.pods.values()) if (!gone.has(pod.metadata.uid)) copy.add(pod);
    return copy;
  }

  #count(pod: Pod, sign: 1 | -1): void {
    this.#ports = undefined;
    for (const [name, amount] of podRequests(pod)) this.requested.set(name, (this.requested.get(name) ?? 0) + sign * amount);
    for (const [name, amount] of podRequests(pod, true)) {
      this.assumedRequested.set(name, (this.assumedRequested.get(name) ?? 0) + sign * amount);
    }
  }
}
