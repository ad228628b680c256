import assert from 'node:assert/strict';
import type { Kind } from '../../src/api/kind.ts';
import { Namespace } from '../../src/api/kinds/core/namespace.ts';
import type { ResourceQuota } from '../../src/api/kinds/core/resource-quota.ts';
import { ServiceAccount } from '../../src/api/kinds/core/service-account.ts';
import type { AnyObject, KubeObject } from '../../src/api/meta.ts';
import { conflict, type StatusError } from '../../src/api/status-error.ts';
import type { Client } from '../../src/client/client.ts';
import { FakeClock } from '../../src/lib/clock.ts';
import type { AdmissionPlugin, AdmissionRequest, Operation } from '../../src/server/admission/admission.ts';
import { createAdmissionChain } from '../../src/server/admission/chain.ts';
import { createAuthorization } from '../../src/server/auth/authorization.ts';
import type { UserInfo } from '../../src/server/auth/user.ts';
import { FakeReader } from './fake-reader.ts';

const master: UserInfo = { name: 'root', groups: ['system:masters', 'system:authenticated'], extra: {} };

/** How an object is sent through the chain: by default somebody who may do everything creates it, or updates `old`. */
export interface Asked {
  readonly operation?: Operation;
  readonly subresource?: string;
  readonly old?: unknown;
  readonly user?: UserInfo;
  readonly dryRun?: boolean;
}

/** Every admission plugin over objects in memory: a namespace `shop` with its default account. */
export interface AdmissionBench {
  readonly reader: FakeReader;
  readonly clock: FakeClock;
  readonly warnings: readonly string[];
  readonly plugins: readonly AdmissionPlugin[];
  /** Sends an object through the chain and resolves with what became of it. */
  admit<T extends KubeObject>(kind: Kind<T>, sketch: unknown, asked?: Asked): Promise<T>;
  /** The next so many updates of quotas lose a race. */
  loseRaces(count: number): void;
}

/** `dynamic`: plugins in the place of those that users configure. */
export function admissionBench(dynamic: readonly AdmissionPlugin[] = []): AdmissionBench {
  const reader = new FakeReader();
  const clock = new FakeClock();
  const warnings: string[] = [];
  let races = 0;
  const client = {
    async update(kind: Kind<ResourceQuota>, object: ResourceQuota) {
      if (races-- > 0) throw conflict(kind, object.metadata.name);
      return reader.put(kind, object);
    },
    async get(kind: Kind<ResourceQuota>, key: { namespace?: string; name: string }) {
      return reader.get(kind, key)!;
    },
  } as unknown as Client;
  const authorization = createAuthorization({ reader });
  const randomText = (length: number): string => 'x'.repeat(length);
  const plugins = createAdmissionChain({ reader, client, authorization, clock, randomText }, { dynamic });
  reader.put(Namespace, { metadata: { name: 'shop' } });
  reader.put(ServiceAccount, { metadata: { name: 'default', namespace: 'shop' } });
  return {
    ...{ reader, clock, warnings, plugins },
    loseRaces(count) {
      races = count;
    },
    async admit<T extends KubeObject>(kind: Kind<T>, sketch: unknown, asked: Asked = {}) {
      const request = { ...requestOf(kind, sketch, asked), warn: (message: string) => void warnings.push(message) };
      for (const plugin of plugins) await plugin.admit?.(request);
      for (const plugin of plugins) await plugin.validate?.(request);
      return request.object as unknown as T;
    },
  };
}

function requestOf(kind: Kind, sketch: unknown, asked: Asked): Omit<AdmissionRequest, 'warn'> {
  const object = sketch === undefined ? undefined : (structuredClone(sketch) as AnyObject);
  const { name = '', namespace } = (object ?? (asked.old as AnyObject)).metadata;
  return {
    operation: asked.operation ?? (asked.old === undefined ? 'CREATE' : 'UPDATE'),
    kind: kind as Kind,
    subresource: asked.subresource ?? '',
    namespace: kind.scope === 'Namespaced' ? (namespace ?? 'shop') : undefined,
    name,
    object,
    oldObject: asked.old as AnyObject | undefined,
    user: asked.user ?? master,
    dryRun: asked.dryRun ?? false,
  };
}

/** A pod `p` of one container in the namespace `shop`. */
export const shopPod = (spec: object = {}, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'shop', ...metadata },
  spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
});

/** Asserts that the object is refused, with this message. */
export const refuses = (promise: Promise<unknown>, message: string | RegExp, code = 403): Promise<void> =>
  assert.rejects(promise, (e: StatusError) => {
    assert.equal(e.code, code);
    if (typeof message === 'string') assert.equal(e.message, message);
    else assert.match(e.message, message);
    return true;
  });
