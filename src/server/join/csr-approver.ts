import type { CertificateSigningRequestCondition } from '../../api/generated/types.ts';
import { CertificateSigningRequest } from '../../api/kinds/certificates/certificate-signing-request.ts';
import { Node } from '../../api/kinds/core/node.ts';
import { isStatus } from '../../api/status-error.ts';
import { timestamp } from '../../api/timestamp.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Component } from '../../lib/component.ts';
import type { Logger } from '../../lib/log.ts';
import type { CertificateAuthority } from '../../pki/certificate.ts';
import type { Authorizer } from '../auth/authorizer.ts';
import type { Reader } from '../registry/reader.ts';
import { decideCsr } from './csr-decision.ts';
import { hasCondition } from './csr-form.ts';
import { SigningRefused, signCsr } from './csr-signing.ts';

/** How long finished requests are kept for people to look at, and how long undecided ones wait. */
const keepDecidedMs = 60 * 60 * 1000;
const keepPendingMs = 24 * 60 * 60 * 1000;
const sweepMs = 60 * 60 * 1000;
/** After a failed write. */
const retryMs = 10_000;

export interface CsrApproverDeps {
  readonly reader: Reader;
  /** Acts as system:serviceaccount:kube-system:certificate-controller. */
  readonly client: Client;
  readonly authorizer: Authorizer;
  readonly ca: CertificateAuthority;
  readonly clock: Clock;
  readonly log: Logger;
  readonly maxValidityMs?: number;
}

/**
 * Decides on certificate requests, signs approved ones and removes old ones. Works from the server's own state, so a joining node waits
 * for two writes and nothing else. Several servers may run it: the slower one's write meets a conflict and is dropped.
 */
export function createCsrApprover(deps: CsrApproverDeps): Component {
  const { reader, clock, log } = deps;
  const stops: (() => void)[] = [];
  const cancels = new Map<string, () => void>();
  let running = false;

  const handle = (name: string): void => {
    const csr = reader.get(CertificateSigningRequest, { name });
    if (!running || !csr) return;
    advance(csr, deps).catch((error: unknown) => {
      if (!running || isStatus(error, 'Conflict', 'NotFound')) return;
      log.warn('certificate request could not be handled, trying again', { name, error });
      later(name, retryMs, () => handle(name));
    });
  };
  const later = (key: string, delayMs: number, then: () => void): void => {
    cancels.get(key)?.();
    const run = (): void => {
      cancels.delete(key);
      then();
    };
    cancels.set(key, clock.after(delayMs, run));
  };
  const sweep = (): void => {
    for (const csr of reader.list(CertificateSigningRequest)) {
      if (!isExpendable(csr, clock.now())) continue;
      deps.client.delete(CertificateSigningRequest, { name: csr.metadata.name }).catch((error: unknown) => {
        if (!isStatus(error, 'NotFound')) log.warn('old certificate request could not be removed', { error });
      });
    }
    if (reader.list(CertificateSigningRequest).length > 0) later('/sweep', sweepMs, sweep);
  };
  return {
    name: 'certificate-requests',
    async start() {
      running = true;
      stops.push(
        reader.onChange(CertificateSigningRequest, (next) => {
          if (!next) return;
          handle(next.metadata.name);
          if (!cancels.has('/sweep')) later('/sweep', sweepMs, sweep);
        }),
        reader.onChange(Node, (next, previous) => {
          if (next && next.status?.addresses !== previous?.status?.addresses) retryUndecided(reader, handle);
        }),
      );
      for (const csr of reader.list(CertificateSigningRequest)) handle(csr.metadata.name);
      sweep();
    },
    async stop() {
      running = false;
      for (const stop of stops.splice(0)) stop();
      for (const cancel of cancels.values()) cancel();
      cancels.clear();
    },
  };
}

/** A node that has shown its addresses may get the serving certificate it waits for. */
function retryUndecided(reader: Reader, handle: (name: string) => void): void {
  for (const csr of reader.list(CertificateSigningRequest))
    if (!hasCondition(csr, 'Approved') && !hasCondition(csr, 'Denied')) handle(csr.metadata.name);
}

/** Takes a request one step further; its own write brings the next step. */
async function advance(csr: CertificateSigningRequest, deps: CsrApproverDeps): Promise<void> {
  const now = timestamp(deps.clock.now());
  const stamp = { status: 'True', lastUpdateTime: now, lastTransitionTime: now };
  const write = async (subresource: string, status: CertificateSigningRequest['status']): Promise<void> => {
    await deps.client.update(CertificateSigningRequest, { ...csr, status }, { subresource });
  };
  const conditions = csr.status?.conditions ?? [];
  if (hasCondition(csr, 'Denied') || hasCondition(csr, 'Failed')) return;
  if (!hasCondition(csr, 'Approved')) {
    const { verdict, reason, message } = decideCsr(csr, deps);
    if (verdict === 'leave') {
      if (message) deps.log.debug('certificate request left undecided', { name: csr.metadata.name, message });
      return;
    }
    const condition: CertificateSigningRequestCondition = {
      type: verdict === 'approve' ? 'Approved' : 'Denied',
      reason,
      message,
      ...stamp,
    };
    deps.log.info('certificate request decided', { name: csr.metadata.name, verdict, requester: csr.spec.username });
    return write('approval', { ...csr.status, conditions: [...conditions, condition] });
  }
  if (csr.status?.certificate) return;
  try {
    const pem = signCsr(csr, { ca: deps.ca, nowMs: deps.clock.now(), ...maxValidity(deps) });
    if (pem === undefined) return;
    await write('status', { ...csr.status, certificate: Buffer.from(pem).toString('base64') });
  } catch (error) {
    if (!(error instanceof SigningRefused)) throw error;
    const condition = { type: 'Failed', reason: 'SignerValidationFailure', message: error.message, ...stamp };
    await write('status', { ...csr.status, conditions: [...conditions, condition] });
  }
}

const maxValidity = ({ maxValidityMs }: CsrApproverDeps): { maxValidityMs?: number } =>
  maxValidityMs === undefined ? {} : { maxValidityMs };

function isExpendable(csr: CertificateSigningRequest, nowMs: number): boolean {
  const decided = csr.status?.conditions?.length ? keepDecidedMs : keepPendingMs;
  const issued = hasCondition(csr, 'Approved') && !csr.status?.certificate && !hasCondition(csr, 'Failed');
  return nowMs - Date.parse(csr.metadata.creationTimestamp) > (issued ? keepPendingMs : decided);
}
