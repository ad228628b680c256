import type { Lease } from '../../api/generated/types.ts';
import { Lease as LeaseKind } from '../../api/kinds/coordination/lease.ts';
import { isStatus } from '../../api/status-error.ts';
import { microTimestamp } from '../../api/timestamp.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../lib/clock.ts';

const namespace = 'kube-node-lease';
const durationSeconds = 40;

/** The heartbeat of a node: renewing its Lease. */
export class NodeLease {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #name: string;
  #last: Lease | undefined;

  constructor(deps: { client: Client; clock: Clock; name: string }) {
    this.#client = deps.client;
    this.#clock = deps.clock;
    this.#name = deps.name;
  }

  /**
   * `nodeUid` makes the lease go with its node. Leases are not on the server's disk at once: after a crash of the server the lease may be an
   * older one, or gone, and is written anew from what is there.
   */
  async renew(nodeUid: string): Promise<void> {
    try {
      await this.#write(nodeUid);
    } catch (error) {
      if (!isStatus(error, 'Conflict', 'NotFound')) throw error;
      this.#last = undefined;
      await this.#write(nodeUid);
    }
  }

  async #write(nodeUid: string): Promise<void> {
    this.#last ??= await this.#get();
    if (this.#last) {
      this.#last = await this.#client.update(LeaseKind, { ...this.#last, spec: { ...this.#last.spec, ...this.#spec() } });
      return;
    }
    this.#last = await this.#client.create(LeaseKind, {
      metadata: {
        name: this.#name,
        namespace,
        ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: this.#name, uid: nodeUid }],
      },
      spec: this.#spec(),
    });
  }

  #spec(): Lease['spec'] {
    return {
      holderIdentity: this.#name,
      leaseDurationSeconds: durationSeconds,
      renewTime: microTimestamp(this.#clock.now()),
    };
  }

  async #get(): Promise<Lease | undefined> {
    try {
      return await this.#client.get(LeaseKind, { namespace, name: this.#name });
    } catch (error) {
      if (isStatus(error, 'NotFound')) return undefined;
      throw error;
    }
  }
}
