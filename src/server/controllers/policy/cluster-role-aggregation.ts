import type { PolicyRule } from '../../../api/generated/types.ts';
import { ClusterRole } from '../../../api/kinds/rbac/cluster-role.ts';
import { matchesLabelSelector } from '../../../api/selectors/label-selector.ts';
import { defineController } from '../../../reconcile/controller.ts';
import { mapped, primary } from '../../../reconcile/watches.ts';
import { canonicalJson } from '../support/hash.ts';
import { compareText } from '../support/order.ts';

/** Fills ClusterRoles that are put together from others by label, such as admin, edit and view. */
export const clusterRoleAggregationController = defineController({
  name: 'clusterrole-aggregation',
  watches: [
    primary(ClusterRole),
    mapped(ClusterRole, (_role, informer) =>
      informer(ClusterRole)
        .list()
        .filter((role) => role.aggregationRule)
        .map((role) => role.metadata.name),
    ),
  ],
  async reconcile(name, { client, informer }) {
    const role = informer(ClusterRole).get(name);
    if (!role?.aggregationRule || role.metadata.deletionTimestamp !== undefined) return;
    const rules = aggregatedRules(role, informer(ClusterRole).list());
    if (!sameSet(rules, role.rules ?? [])) await client.update(ClusterRole, { ...role, rules });
  },
});

/** The rules of all matching roles in the order of their names, each once. */
function aggregatedRules(role: ClusterRole, all: readonly ClusterRole[]): PolicyRule[] {
  const selectors = role.aggregationRule?.clusterRoleSelectors ?? [];
  const sources = all
    .filter(
      (other) =>
        other.metadata.name !== role.metadata.name && selectors.some((s) => matchesLabelSelector(s, other.metadata.labels)),
    )
    .sort((a, b) => compareText(a.metadata.name, b.metadata.name));
  const rules = new Map(sources.flatMap((source) => source.rules ?? []).map((rule) => [canonicalJson(rule), rule]));
  return [...rules.values()];
}

/** The order of rules means nothing: it is no reason to write. */
function sameSet(a: readonly PolicyRule[], b: readonly PolicyRule[]): boolean {
  const [left, right] = [a, b].map((rules) => rules.map(canonicalJson).sort().join('\n'));
  return left === right;
}
