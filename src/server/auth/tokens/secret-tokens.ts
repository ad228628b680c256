import { Secret } from '../../../api/kinds/core/secret.ts';
import { ServiceAccount } from '../../../api/kinds/core/service-account.ts';
import { isStatus } from '../../../api/status-error.ts';
import type { Client } from '../../../client/client.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Component } from '../../../lib/component.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Reader } from '../../registry/reader.ts';
import type { TokenIssuer } from './token-issuer.ts';

/** The type of Secrets people make to have a token that does not expire. */
const tokenSecretType = 'kubernetes.io/service-account-token';
const accountAnnotation = 'kubernetes.io/service-account.name';
const uidAnnotation = 'kubernetes.io/service-account.uid';
/** After a failed write. */
const retryMs = 10_000;

export interface SecretTokensDeps {
  readonly reader: Reader;
  /** May get, update and delete Secrets. */
  readonly client: Client;
  readonly tokens: Pick<TokenIssuer, 'issueForSecret'>;
  readonly caPem: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What a token Secret lacks; `orphan` = its account is gone, and it goes too. */
type SecretTokenStep = 'nothing' | 'fill' | 'orphan';

/** Pure; upstream's pkg/controller/serviceaccount/tokens_controller.go. */
function secretTokenStep(secret: Secret, account: ServiceAccount | undefined, caPem: string): SecretTokenStep {
  if (secret.type !== tokenSecretType || secret.metadata.deletionTimestamp !== undefined) return 'nothing';
  const wantedUid = secret.metadata.annotations?.[uidAnnotation];
  if (!account || (wantedUid && wantedUid !== account.metadata.uid)) return 'orphan';
  const { data } = secret;
  const isFull = wantedUid && data?.['token'] && data['namespace'] && data['ca.crt'] === encode(caPem);
  return isFull ? 'nothing' : 'fill';
}

/** Puts a token, the CA and the namespace into Secrets of type kubernetes.io/service-account-token, and removes them with their account. */
export function createSecretTokens(deps: SecretTokensDeps): Component {
  const { reader, clock, log } = deps;
  const stops: (() => void)[] = [];
  const cancels = new Set<() => void>();
  let running = false;
  const handle = (key: { namespace: string; name: string }): void => {
    const secret = running ? reader.get(Secret, key) : undefined;
    if (!secret || secret.type !== tokenSecretType) return;
    apply(secret, key, deps).catch((error: unknown) => {
      if (!running || isStatus(error, 'Conflict', 'NotFound')) return;
      log.warn('service-account token could not be stored, trying again', { ...key, error });
      const cancel = clock.after(retryMs, () => {
        cancels.delete(cancel);
        handle(key);
      });
      cancels.add(cancel);
    });
  };
  const handleAll = (secrets: readonly Secret[]): void => {
    for (const { metadata, type } of secrets)
      if (type === tokenSecretType) handle({ namespace: metadata.namespace ?? '', name: metadata.name });
  };
  return {
    name: 'service-account-secrets',
    async start() {
      running = true;
      stops.push(
        reader.onChange(Secret, (next) => {
          if (next) handleAll([next]);
        }),
        reader.onChange(ServiceAccount, (next, previous) => {
          const { namespace, uid } = (next ?? previous)!.metadata;
          if (uid !== (next ? previous?.metadata.uid : undefined)) handleAll(reader.list(Secret, namespace ?? ''));
        }),
      );
      handleAll(reader.list(Secret));
    },
    async stop() {
      running = false;
      for (const stop of stops.splice(0)) stop();
      for (const cancel of cancels) cancel();
      cancels.clear();
    },
  };
}

async function apply(secret: Secret, key: { namespace: string; name: string }, deps: SecretTokensDeps): Promise<void> {
  const accountName = secret.metadata.annotations?.[accountAnnotation];
  if (!accountName) return;
  const account = deps.reader.get(ServiceAccount, { namespace: key.namespace, name: accountName });
  const step = secretTokenStep(secret, account, deps.caPem);
  if (step === 'orphan') await deps.client.delete(Secret, key, { preconditions: { uid: secret.metadata.uid } });
  if (step !== 'fill' || !account) return;
  const token = secret.data?.['token'] ?? encode(await deps.tokens.issueForSecret(account, key.name));
  await deps.client.update(Secret, {
    ...secret,
    metadata: { ...secret.metadata, annotations: { ...secret.metadata.annotations, [uidAnnotation]: account.metadata.uid } },
    data: { ...secret.data, token, namespace: encode(key.namespace), 'ca.crt': encode(deps.caPem) },
  });
}

const encode = (text: string): string => Buffer.from(text).toString('base64');
