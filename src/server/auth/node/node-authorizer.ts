import type { PolicyRule } from '../../../api/generated/types.ts';
import { requiredFieldValue } from '../../../api/selectors/field-selector.ts';
import type { Attributes, Authorizer, Decision } from '../authorizer.ts';
import { ruleAllows } from '../rbac/rule-matching.ts';
import { nodeNameOf } from '../user-names.ts';
import type { NodeGraph, RelatedResource } from './node-graph.ts';

const allow: Decision = { verdict: 'allow', reason: '' };
const pass = (reason: string): Decision => ({ verdict: 'noOpinion', reason });

type Check = (node: string, attributes: Attributes, graph: NodeGraph) => Decision;

/**
 * Lets a node do what a kubelet needs, and no more: its own Node, Lease and CSINode, pods bound to it, and objects those pods use.
 * Everything else is decided by `rules`, which must be those of the role system:node. Rules: upstream's plugin/pkg/auth/authorizer/node.
 */
export function createNodeAuthorizer(deps: { graph: NodeGraph; rules: readonly PolicyRule[] }): Authorizer {
  return {
    authorize(attributes) {
      const node = nodeNameOf(attributes.user);
      if (node === undefined) return pass('');
      if (node === '') return pass(`unknown node for user ${JSON.stringify(attributes.user.name)}`);
      const { resource, group } = attributes;
      const check = resource === undefined ? undefined : checks.get(group ? `${resource}.${group}` : resource);
      if (check) return check(node, attributes, deps.graph);
      return deps.rules.some((rule) => ruleAllows(rule, attributes)) ? allow : pass('');
    },
  };
}

const reading = new Set(['get', 'list', 'watch']);
const owning = new Set(['get', 'create', 'update', 'patch', 'delete']);

function related(resource: RelatedResource): Check {
  return (node, { namespace, name }, graph) => {
    if (!name) return pass('No Object name found');
    return graph.isRelated(node, resource, { namespace, name })
      ? allow
      : pass(`no relationship found between node '${node}' and this object`);
  };
}

/** get, list and watch of single objects in a namespace (the latter two with a field selector on the name). */
function readable(resource: RelatedResource): Check {
  return (node, attributes, graph) => {
    if (!reading.has(attributes.verb)) return pass('can only read resources of this type');
    if (attributes.subresource) return pass('cannot read subresource');
    if (!attributes.namespace) return pass('can only read namespaced object of this type');
    return related(resource)(node, attributes, graph);
  };
}

function gettable(resource: RelatedResource): Check {
  return (node, attributes, graph) => {
    if (attributes.verb !== 'get') return pass('can only get individual resources of this type');
    if (attributes.subresource) return pass('cannot get subresource');
    return related(resource)(node, attributes, graph);
  };
}

const claimCheck: Check = (node, attributes, graph) => {
  if (attributes.subresource !== 'status') return gettable('persistentvolumeclaims')(node, attributes, graph);
  if (attributes.verb !== 'update' && attributes.verb !== 'patch') return pass('can only get/update/patch this type');
  return related('persistentvolumeclaims')(node, attributes, graph);
};

const serviceAccountCheck: Check = (node, attributes, graph) => {
  const { verb, subresource, name } = attributes;
  if (verb === 'get' && !subresource) return readable('serviceaccounts')(node, attributes, graph);
  if (verb !== 'create' || !name) return pass('can only create tokens for individual service accounts');
  if (subresource !== 'token') return pass('can only create token subresource of serviceaccount');
  return related('serviceaccounts')(node, attributes, graph);
};

const leaseCheck: Check = (node, { verb, namespace, name }) => {
  if (!owning.has(verb)) return pass('can only get, create, update, patch, or delete a node lease');
  if (namespace !== 'kube-node-lease') return pass('can only access leases in the "kube-node-lease" system namespace');
  if (verb === 'create' || name === node) return allow;
  return pass('can only access node lease with the same name as the requesting node');
};

const csiNodeCheck: Check = (node, { verb, subresource, name }) => {
  if (!owning.has(verb)) return pass('can only get, create, update, patch, or delete a CSINode');
  if (subresource) return pass('cannot authorize CSINode subresources');
  if (verb === 'create' || name === node) return allow;
  return pass('can only access CSINode with the same name as the requesting node');
};

const nodeCheck: Check = (node, { verb, subresource, name }) => {
  if (subresource === 'status') return verb === 'update' || verb === 'patch' ? allow : pass('');
  if (subresource) return pass('');
  if (verb === 'create' || verb === 'update' || verb === 'patch') return allow;
  if (!reading.has(verb)) return pass('');
  if (name === node) return allow;
  if (!name) return pass(`node '${node}' cannot read all nodes, only its own Node object`);
  return pass(`node '${node}' cannot read '${name}', only its own Node object`);
};

const podCheck: Check = (node, attributes, graph) => {
  const { verb, subresource, name, fieldSelector } = attributes;
  if (subresource === 'status') return verb === 'update' || verb === 'patch' ? allow : pass('');
  if (subresource === 'eviction') return verb === 'create' ? allow : pass('');
  if (subresource) return pass('');
  if (verb === 'create' || verb === 'delete') return allow;
  if (verb === 'get') return related('pods')(node, attributes, graph);
  if (verb !== 'list' && verb !== 'watch') return pass('');
  if (requiredFieldValue(fieldSelector ?? [], 'spec.nodeName') === node) return allow;
  if (name) return related('pods')(node, attributes, graph);
  return pass('can only list/watch pods with spec.nodeName field selector');
};

const resourceSliceCheck: Check = (node, attributes, graph) => {
  const { verb, subresource, fieldSelector } = attributes;
  if (subresource) return pass('cannot authorize ResourceSlice subresources');
  if (verb === 'create') return allow;
  if (owning.has(verb)) return related('resourceslices')(node, attributes, graph);
  if (verb !== 'list' && verb !== 'watch' && verb !== 'deletecollection') return pass('');
  if (requiredFieldValue(fieldSelector ?? [], 'spec.nodeName') === node) return allow;
  return pass('can only list/watch/deletecollection resourceslices with nodeName field selector');
};

const checks: ReadonlyMap<string, Check> = new Map([
  ['secrets', readable('secrets')],
  ['configmaps', readable('configmaps')],
  ['persistentvolumeclaims', claimCheck],
  ['persistentvolumes', gettable('persistentvolumes')],
  ['resourceclaims.resource.k8s.io', gettable('resourceclaims')],
  ['volumeattachments.storage.k8s.io', gettable('volumeattachments')],
  ['serviceaccounts', serviceAccountCheck],
  ['leases.coordination.k8s.io', leaseCheck],
  ['csinodes.storage.k8s.io', csiNodeCheck],
  ['resourceslices.resource.k8s.io', resourceSliceCheck],
  ['nodes', nodeCheck],
  ['pods', podCheck],
]);
