import type { Clock } from '../lib/clock.ts';
import type { Component } from '../lib/component.ts';
import type { Logger } from '../lib/log.ts';
import type { ServerPki } from './server-pki.ts';

/** How often the dates of the certificates are looked at: soon enough after a clock was set that had been far behind. */
export const renewalCheckMs = 10 * 60 * 1000;

/** Renews the server's certificates while it runs. A failure is reported and tried again at the next check. */
export function createRenewal(deps: { pki: ServerPki; clock: Clock; log: Logger }): Component {
  const { pki, clock, log } = deps;
  let cancel: (() => void) | undefined;
  const check = (): void => {
    try {
      for (const name of pki.renew()) log.info('certificate renewed', { certificate: name });
    } catch (error) {
      log.error('certificates could not be renewed; is the disk full or read-only?', { error });
    }
    cancel = clock.after(renewalCheckMs, check);
  };
  return {
    name: 'certificate-renewal',
    async start() {
      check();
    },
    async stop() {
      cancel?.();
    },
  };
}
