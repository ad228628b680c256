import { Service } from '../../../api/kinds/core/service.ts';
import { IPAddress, ipFamilyLabel, managedBy } from '../../../api/kinds/networking/ip-address.ts';
import { apiVersionOf, parseKey } from '../../../api/meta.ts';
import { isStatus } from '../../../api/status-error.ts';
import { semanticEqual } from '../../../api/validation/equal.ts';
import { formatIp, parseIp } from '../../../api/validation/ip.ts';
import type { Reader } from '../../registry/reader.ts';
import { ipsOf, type ServiceAllocator } from '../core/service.ts';
import type { Keeper, KeeperContext } from './keeper.ts';

/**
 * Shows every cluster address of a Service as an IPAddress, and removes those that belong to no Service any more. The Services are the
 * truth: upstream allocates by creating these objects (pkg/registry/core/service/ipallocator and its repair loop).
 */
export function serviceAddresses(reader: Reader, allocator: Pick<ServiceAllocator, 'holderOf'>): Keeper {
  return {
    name: 'service-addresses',
    queue: 'services',
    watch(enqueue) {
      reader.onChange(Service, (next, previous) => {
        const [after, before] = [ipsOf(next?.spec), ipsOf(previous?.spec)];
        if (!semanticEqual(after, before)) for (const ip of new Set([...after, ...before])) enqueue(ip);
      });
      reader.onChange(IPAddress, (next, previous) => enqueue((next ?? previous)!.metadata.name));
    },
    async keep(ip, context) {
      const name = canonical(ip);
      const wanted = parentOf(reader, allocator.holderOf(ip) ?? allocator.holderOf(name), ip);
      const existing = reader.get(IPAddress, { name });
      if (existing && wanted && isRight(existing, wanted)) return;
      const isOurs = existing?.metadata.labels?.[managedBy.label] === managedBy.allocator;
      if (existing && (wanted || isOurs)) await remove(name, context);
      if (wanted) await create(name, wanted, context);
    },
  };
}

type Parent = NonNullable<IPAddress['spec']>['parentRef'];

const canonical = (ip: string): string => {
  const parsed = parseIp(ip);
  return parsed ? formatIp(parsed) : ip;
};

/** The Service that has the address now; reservations of writes that are under way do not count. */
function parentOf(reader: Reader, holder: string | undefined, ip: string): Parent | undefined {
  if (holder === undefined) return undefined;
  const { namespace = '', name } = parseKey(holder);
  const service = reader.get(Service, { namespace, name });
  if (!service || !ipsOf(service.spec).some((own) => canonical(own) === canonical(ip))) return undefined;
  return { resource: 'services', namespace, name };
}

function isRight({ metadata, spec }: IPAddress, parent: Parent): boolean {
  const { group = '', resource, namespace, name } = spec?.parentRef ?? ({} as Parent);
  if (group !== '' || !semanticEqual({ resource, namespace, name }, parent)) return false;
  const labels = labelsOf(metadata.name);
  return Object.entries(labels).every(([key, value]) => metadata.labels?.[key] === value);
}

const labelsOf = (name: string): Record<string, string> => ({
  [ipFamilyLabel]: parseIp(name)?.family ?? '',
  [managedBy.label]: managedBy.allocator,
});

async function create(name: string, parentRef: Parent, { registry, call }: KeeperContext): Promise<void> {
  const head = { apiVersion: apiVersionOf(IPAddress), kind: IPAddress.kind };
  const object = { ...head, metadata: { name, labels: labelsOf(name) }, spec: { parentRef } } as unknown as IPAddress;
  try {
    await registry.create(call, IPAddress, undefined, object);
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists')) throw error;
  }
}

async function remove(name: string, { registry, call }: KeeperContext): Promise<void> {
  try {
    await registry.delete(call, IPAddress, { name }, {});
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
  }
}
