import { parseIpRange } from '../../api/ip-range.ts';
import type { Kind } from '../../api/kind.ts';
import { CertificateSigningRequest } from '../../api/kinds/certificates/certificate-signing-request.ts';
import { Binding } from '../../api/kinds/core/binding.ts';
import { ComponentStatus } from '../../api/kinds/core/component-status.ts';
import { Namespace } from '../../api/kinds/core/namespace.ts';
import { Node } from '../../api/kinds/core/node.ts';
import { Pod } from '../../api/kinds/core/pod.ts';
import { Service } from '../../api/kinds/core/service.ts';
import { ServiceAccount } from '../../api/kinds/core/service-account.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { Authorizer } from '../auth/authorizer.ts';
import type { ReviewHandler } from '../auth/reviews.ts';
import { certificateRequestEffects } from '../join/csr-effects.ts';
import { EffectsTable } from '../registry/effects.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import { statusRules, type UpdateRules } from '../registry/update.ts';
import { approvalRules } from './certificates/approval.ts';
import { componentStatuses } from './core/component-status.ts';
import { finalizeRules, namespaceEffects } from './core/namespace.ts';
import { podBinding, postedBindings } from './core/pod-binding.ts';
import { podEviction } from './core/pod-eviction.ts';
import { ephemeralContainersRules, resizeRules } from './core/pod-rules.ts';
import type { PortRange } from './core/port-allocator.ts';
import { ServiceAllocator } from './core/service.ts';
import { serviceAccountToken, type TokenSource } from './core/service-account-token.ts';
import { flowControl } from './kept/flow-control.ts';
import type { Keeper } from './kept/keeper.ts';
import { serviceAddresses } from './kept/service-addresses.ts';
import { serviceRanges } from './kept/service-ranges.ts';
import type { NodeClientCredentials } from './node-streams/node-connection.ts';
import { nodeStreams } from './node-streams/node-streams.ts';
import { reviewHandler } from './reviews.ts';
import { workloadScale } from './scale.ts';
import { type Subresource, SubresourceTable } from './subresource.ts';

export interface ResourceDeps {
  readonly objects: ObjectStore;
  readonly authorizer: Authorizer;
  /** `10.43.0.0/16`, or two ranges of different families; the first is the default. */
  readonly serviceCidrs: readonly string[];
  readonly nodePorts: PortRange;
  readonly tokens: TokenSource;
  /** Create-only kinds that answer questions, by `<group>/<plural>`. */
  readonly reviews: ReadonlyMap<string, ReviewHandler>;
  /** How this server shows itself to node agents, and how it knows them. */
  readonly nodeClient: () => NodeClientCredentials;
}

/** All effects of kinds and all sub-resources, in one place. */
export function createResources(deps: ResourceDeps): {
  effects: EffectsTable;
  subresources: SubresourceTable;
  keepers: readonly Keeper[];
} {
  const ranges = deps.serviceCidrs.map(parseIpRange);
  const services = new ServiceAllocator({ reader: deps.objects, ranges, nodePorts: deps.nodePorts });
  const effects = new EffectsTable()
    .set(Namespace, namespaceEffects)
    .set(CertificateSigningRequest, certificateRequestEffects)
    .set(Service, services);
  const subresources = new SubresourceTable(generic)
    .set(Namespace, 'finalize', whole(finalizeRules))
    .set(Pod, 'binding', { posted: podBinding })
    .set(Pod, 'eviction', { posted: podEviction })
    .set(Pod, 'ephemeralcontainers', whole(ephemeralContainersRules))
    .set(Pod, 'resize', whole(resizeRules))
    .set(ServiceAccount, 'token', { posted: serviceAccountToken(deps.tokens) })
    .set(CertificateSigningRequest, 'approval', whole(approvalRules))
    .setWhole(ComponentStatus, componentStatuses)
    .setWhole(Binding, postedBindings);
  for (const [resource, handler] of deps.reviews) subresources.setWholeResource(resource, reviewHandler(handler));
  const streams = nodeStreams(deps);
  for (const name of ['log', 'exec', 'attach', 'portforward'] as const) subresources.set(Pod, name, { connect: streams[name] });
  for (const kind of [Node, Pod, Service] as Kind[]) subresources.set(kind, 'proxy', { connect: streams.proxy });
  const keepers = [serviceAddresses(deps.objects, services), serviceRanges(deps.objects), flowControl(deps.objects)];
  return { effects, subresources, keepers };
}

function whole<T extends KubeObject>(rules: UpdateRules<T>): Subresource {
  return { rules: rules as unknown as UpdateRules };
}

/** Sub-resources that look alike in every kind. */
function generic(kind: Kind, name: string): Subresource | undefined {
  if (name === 'status') return { rules: statusRules(kind) };
  return name === 'scale' ? { projection: workloadScale } : undefined;
}
