import type { Node } from '../../api/kinds/core/node.ts';
import type { Pod } from '../../api/kinds/core/pod.ts';
import { NodeInfo } from './node-info.ts';

/**
 * The scheduler's own picture: nodes with the pods assigned to them, and the pods it has just decided on ("assumed") although the API
 * does not show their assignment yet. That is what keeps two decisions in a row from giving away the same room.
 */
export class SchedulerCache {
  readonly #nodes = new Map<string, NodeInfo>();
  /** Where each pod is counted, by uid. */
  readonly #placed = new Map<string, { readonly pod: Pod; readonly nodeName: string; readonly assumed: boolean }>();

  /** Nodes that exist (pods may name others). */
  get nodes(): NodeInfo[] {
    return [...this.#nodes.values()].filter((info) => info.node !== undefined);
  }

  node(name: string): NodeInfo | undefined {
    const info = this.#nodes.get(name);
    return info?.node ? info : undefined;
  }

  putNode(node: Node): void {
    this.#info(node.metadata.name).setNode(node);
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name);
    info?.setNode(undefined);
    if (info?.pods.size === 0) this.#nodes.delete(name);
  }

  /** A pod with spec.nodeName, as the API shows it; ends the assumption about it. */
  putPod(pod: Pod): void {
    this.#place(pod, pod.spec.nodeName ?? '', false);
  }

  removePod(pod: Pod): void {
    const placed = this.#placed.get(pod.metadata.uid);
    if (!placed) return;
    this.#placed.delete(pod.metadata.uid);
    const info = this.#nodes.get(placed.nodeName);
    info?.remove(pod);
    if (info?.pods.size === 0 && !info.node) this.#nodes.delete(placed.nodeName);
  }

  /** Counts a pod on the node chosen for it, before the API knows. */
  assume(pod: Pod, nodeName: string): void {
    this.#place({ ...pod, spec: { ...pod.spec, nodeName } }, nodeName, true);
  }

  /** The binding failed: the room is free again. An assignment the API has shown meanwhile stays. */
  forget(pod: Pod): void {
    if (this.#placed.get(pod.metadata.uid)?.assumed) this.removePod(pod);
  }

  isPlaced(uid: string): boolean {
    return this.#placed.has(uid);
  }

  #place(pod: Pod, nodeName: string, assumed: boolean): void {
    this.removePod(pod);
    this.#placed.set(pod.metadata.uid, { pod, nodeName, assumed });
    this.#info(nodeName).add(pod);
  }

  #info(name: string): NodeInfo {
    let info = this.#nodes.get(name);
    if (!info) this.#nodes.set(name, (info = new NodeInfo(name)));
    return info;
  }
}
