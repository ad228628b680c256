import type { LeaseSpec } from '../api/generated/types.ts';
import { Lease } from '../api/kinds/coordination/lease.ts';
import type { ObjectKey } from '../api/meta.ts';
import { isStatus } from '../api/status-error.ts';
import { microTimestamp } from '../api/timestamp.ts';
import type { Client } from '../client/client.ts';
import type { Clock } from '../lib/clock.ts';
import type { Component } from '../lib/component.ts';
import type { Logger } from '../lib/log.ts';

export interface LeaderElectionOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
  /** The Lease that stands for the office. */
  readonly lease: ObjectKey;
  /** Unique among the candidates. */
  readonly identity: string;
  /** Runs while this process leads. */
  readonly leading: Component;
  /** Leadership was lost: what `leading` did may be done by another now. The caller restarts or exits. */
  readonly onLost: () => void;
}

/** A leader that has not renewed for this long has lost its office. */
const leaseDurationMs = 15_000;
/** The leader stops by itself when it could not renew for this long: before others take over. */
const renewDeadlineMs = 10_000;
const renewEveryMs = 2_000;

/**
 * Runs a component in one of several servers at a time, by a Lease all of them can see (upstream: client-go tools/leaderelection). Only for
 * clusters with several servers: a server that is alone leads without asking.
 */
export function createLeaderElection(options: LeaderElectionOptions): Component {
  return new LeaderElection(options);
}

class LeaderElection implements Component {
  readonly name = 'leader-election';
  readonly #options: LeaderElectionOptions;
  /** What was seen last, and when by our own clock: the clocks of servers may differ. */
  #observed: { sign: string; atMs: number } | undefined;
  #renewedAtMs = 0;
  #isLeader = false;
  #stopped = false;
  #cancelTimer: () => void = () => {};
  #round: Promise<void> = Promise.resolve();

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
  }

  /** Resolves at once: leadership comes when it comes. */
  async start(): Promise<void> {
    this.#next(0);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    await this.#round;
    if (!this.#isLeader) return;
    this.#isLeader = false;
    await this.#options.leading.stop();
    await this.#giveUp();
  }

  #next(delayMs: number): void {
    if (this.#stopped) return;
    this.#cancelTimer = this.#options.clock.after(delayMs, () => {
      this.#round = this.#tryOnce().then(() => this.#next(renewEveryMs));
    });
  }

  async #tryOnce(): Promise<void> {
    const { clock, log, lease, leading, onLost } = this.#options;
    try {
      const held = await this.#acquireOrRenew();
      if (held) this.#renewedAtMs = clock.monotonicMs();
      if (held && !this.#isLeader) {
        this.#isLeader = true;
        log.info('leading', { lease: lease.name });
        await leading.start();
        return;
      }
      if (held || !this.#isLeader) return;
    } catch (error) {
      if (!isStatus(error, 'Conflict', 'AlreadyExists')) log.debug('renewing the lease failed', { lease: lease.name, error });
    }
    if (!this.#isLeader || clock.monotonicMs() - this.#renewedAtMs < renewDeadlineMs) return;
    this.#isLeader = false;
    this.#stopped = true;
    log.warn('no longer leading', { lease: lease.name });
    await leading.stop();
    onLost();
  }

  /** True when the Lease is ours after the attempt. */
  async #acquireOrRenew(): Promise<boolean> {
    const { client, clock, lease: key, identity } = this.#options;
    const current = await this.#read();
    const now = microTimestamp(clock.now());
    if (!current) {
      await client.create(Lease, { metadata: { ...key }, spec: this.#spec(undefined, now) });
      return true;
    }
    const { holderIdentity, renewTime } = current.spec;
    const sign = `${holderIdentity} ${renewTime}`;
    if (this.#observed?.sign !== sign) this.#observed = { sign, atMs: clock.monotonicMs() };
    const expired = clock.monotonicMs() - this.#observed.atMs >= leaseDurationMs;
    if (holderIdentity && holderIdentity !== identity && !expired) return false;
    await client.update(Lease, { ...current, spec: this.#spec(current.spec, now) });
    return true;
  }

  #spec(before: LeaseSpec | undefined, now: string): LeaseSpec {
    const { identity } = this.#options;
    const mine = before?.holderIdentity === identity;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: leaseDurationMs / 1000,
      acquireTime: mine ? (before?.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (before?.leaseTransitions ?? 0) + (before && !mine ? 1 : 0),
    };
  }

  async #read(): Promise<Lease | undefined> {
    try {
      return await this.#options.client.get(Lease, this.#options.lease);
    } catch (error) {
      if (isStatus(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  /** The next one need not wait for the Lease to expire. When that fails it does wait, and nothing else is lost. */
  async #giveUp(): Promise<void> {
    const current = await this.#read().catch(() => undefined);
    if (current?.spec.holderIdentity !== this.#options.identity) return;
    const { holderIdentity: _holder, ...spec } = current.spec;
    await this.#options.client.update(Lease, { ...current, spec: { ...spec, leaseDurationSeconds: 1 } }).catch(() => undefined);
  }
}
