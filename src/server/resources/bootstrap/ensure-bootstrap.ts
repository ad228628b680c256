import type { Kind } from '../../../api/kind.ts';
import { APIService } from '../../../api/kinds/apiregistration/api-service.ts';
import type { AnyObject, KubeObject } from '../../../api/meta.ts';
import { isStatus } from '../../../api/status-error.ts';
import { semanticEqual } from '../../../api/validation/equal.ts';
import { systemMaster } from '../../auth/user.ts';
import type { Call } from '../../registry/call.ts';
import type { ResourceRegistry } from '../../registry/resource-registry.ts';
import { statusRules } from '../../registry/update.ts';
import { type BootstrapObject, type BootstrapOptions, bootstrapObjects } from './bootstrap-objects.ts';

const call: Call = { user: systemMaster, fieldManager: 'kube-apiserver', dryRun: false, warn: () => {} };

/** Creates what is missing and puts right what the server owns. Writes nothing when everything is as it should be. */
export async function ensureBootstrap(registry: ResourceRegistry, options: BootstrapOptions): Promise<void> {
  for (const wave of bootstrapObjects(options)) {
    await Promise.all(wave.map((wanted) => ensure(registry, wanted, options.now)));
  }
}

async function ensure(registry: ResourceRegistry, wanted: BootstrapObject, now: string): Promise<void> {
  const { kind, object } = wanted;
  const key = { namespace: object.metadata.namespace, name: object.metadata.name };
  const existing = registry.deps.objects.get(kind, key);
  if (!existing) await create(registry, kind, object);
  else if (differs(existing, wanted)) await repair(registry, wanted, key);
  await ensureCondition(registry, kind, key, now);
}

async function create(registry: ResourceRegistry, kind: Kind, object: KubeObject): Promise<void> {
  try {
    await registry.create(call, kind, object.metadata.namespace, object);
  } catch (error) {
    // Another server was faster.
    if (!isStatus(error, 'AlreadyExists')) throw error;
  }
}

/** Owned fields are compared as far as they are wanted: defaults the server added are no difference. */
function differs(existing: KubeObject, { object, owned }: BootstrapObject): boolean {
  return owned.some((field) => !contains((existing as AnyObject)[field], (object as AnyObject)[field]));
}

/** True when every field of `wanted` is in `actual`. */
function contains(actual: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return Array.isArray(actual) && actual.length === wanted.length && wanted.every((item, i) => contains(actual[i], item));
  }
  if (typeof wanted !== 'object' || wanted === null) return semanticEqual(actual, wanted);
  if (typeof actual !== 'object' || actual === null) return false;
  return Object.entries(wanted).every(([key, value]) => contains((actual as Record<string, unknown>)[key], value));
}

async function repair(
  registry: ResourceRegistry,
  { kind, object, owned }: BootstrapObject,
  key: { namespace: string | undefined; name: string },
): Promise<void> {
  await registry.update(call, kind, {
    key,
    unconditional: true,
    transform(current) {
      const next = current as AnyObject;
      for (const field of owned) {
        const wanted = (object as AnyObject)[field];
        next[field] = field === 'spec' ? { ...(next.spec as object), ...(wanted as object) } : wanted;
      }
      return next;
    },
  });
}

/** What upstream's own controllers report of objects they keep. */
const conditions: readonly { kind: Kind; condition: { type: string; reason: string; message: string } }[] = [
  { kind: APIService, condition: { type: 'Available', reason: 'Local', message: 'Local APIServices are always available' } },
];

async function ensureCondition(
  registry: ResourceRegistry,
  kind: Kind,
  key: { namespace: string | undefined; name: string },
  now: string,
): Promise<void> {
  const wanted = conditions.find((c) => c.kind === kind)?.condition;
  const existing = registry.deps.objects.get(kind, key) as AnyObject | undefined;
  const present = (existing?.status as { conditions?: { type: string }[] } | undefined)?.conditions ?? [];
  if (!wanted || !existing || present.some((c) => c.type === wanted.type)) return;
  await registry.update(call, kind, {
    key,
    unconditional: true,
    rules: statusRules(kind),
    transform(current) {
      const next = current as AnyObject;
      next.status = { conditions: [{ ...wanted, status: 'True', lastTransitionTime: now }] };
      return next;
    },
  });
}
