import { IPAddress, managedBy } from '../../../api/kinds/networking/ip-address.ts';
import { ServiceCIDR } from '../../../api/kinds/networking/service-cidr.ts';
import { timestamp } from '../../../api/timestamp.ts';
import { cidrContains, parseCidr } from '../../../api/validation/ip.ts';
import type { Reader } from '../../registry/reader.ts';
import { statusRules } from '../../registry/update.ts';
import type { Keeper, KeeperContext } from './keeper.ts';

const finalizer = 'networking.k8s.io/service-cidr-finalizer';
/** How long a deleted range stays, so that Services whose creation is under way are seen. */
const graceMs = 10_000;

const ready = { type: 'Ready', status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' };
const stillUsed = {
  type: 'Ready',
  status: 'False',
  reason: 'Terminating',
  message: 'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
};

/** Makes ServiceCIDRs ready, and keeps deleted ones until no address needs them (kubernetes: pkg/controller/servicecidrs). */
export function serviceRanges(reader: Reader): Keeper {
  return {
    name: 'service-ranges',
    queue: 'servicecidrs',
    watch(enqueue) {
      const enqueueDeleted = (): void => {
        for (const { metadata } of reader.list(ServiceCIDR)) if (metadata.deletionTimestamp !== undefined) enqueue(metadata.name);
      };
      reader.onChange(ServiceCIDR, (next) => {
        if (next) enqueue(next.metadata.name);
        enqueueDeleted();
      });
      reader.onChange(IPAddress, (next) => {
        if (!next) enqueueDeleted();
      });
    },
    async keep(name, context) {
      const range = reader.get(ServiceCIDR, { name });
      if (!range) return;
      const { deletionTimestamp, finalizers = [] } = range.metadata;
      if (deletionTimestamp === undefined) {
        if (!finalizers.includes(finalizer)) await setFinalizers(name, [...finalizers, finalizer], context);
        await setCondition(range, ready, context);
        return;
      }
      if (!finalizers.includes(finalizer)) return;
      if (isNeeded(reader, range)) {
        await setCondition(range, stillUsed, context);
        return;
      }
      const waitMs = Date.parse(deletionTimestamp) + graceMs - context.clock.now();
      if (waitMs > 0) context.lookAfter(name, waitMs);
      else
        await setFinalizers(
          name,
          finalizers.filter((f) => f !== finalizer),
          context,
        );
    },
  };
}

/** True when there are addresses that lie in no other range. */
function isNeeded(reader: Reader, range: ServiceCIDR): boolean {
  const own = blocksOf(range);
  const others = reader
    .list(ServiceCIDR)
    .filter((other) => other.metadata.name !== range.metadata.name)
    .flatMap(blocksOf);
  if (own.every((block) => others.some((other) => cidrContains(other, block)))) return false;
  return reader.list(IPAddress).some(({ metadata }) => {
    if (metadata.labels?.[managedBy.label] !== managedBy.allocator) return false;
    const address = parseCidr(`${metadata.name}/${metadata.name.includes(':') ? 128 : 32}`);
    return address && own.some((block) => cidrContains(block, address)) && !others.some((block) => cidrContains(block, address));
  });
}

const blocksOf = ({ spec }: ServiceCIDR) => (spec?.cidrs ?? []).map(parseCidr).filter((block) => block !== undefined);

async function setFinalizers(name: string, finalizers: string[], { registry, call }: KeeperContext): Promise<void> {
  await registry.update(call, ServiceCIDR, {
    key: { name },
    transform: (current) => ({ ...current!, metadata: { ...current!.metadata, finalizers } }),
  });
}

async function setCondition(range: ServiceCIDR, wanted: typeof ready, { registry, call, clock }: KeeperContext): Promise<void> {
  const existing = range.status?.conditions?.find((c) => c.type === wanted.type);
  if (existing?.status === wanted.status && existing.reason === wanted.reason && existing.message === wanted.message) return;
  await registry.update(call, ServiceCIDR, {
    key: { name: range.metadata.name },
    rules: statusRules(ServiceCIDR),
    transform: (current) => ({
      ...current!,
      status: { conditions: [{ ...wanted, lastTransitionTime: timestamp(clock.now()) }] },
    }),
  });
}
