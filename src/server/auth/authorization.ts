import type { PolicyRule } from '../../api/generated/types.ts';
import type { Reader } from '../registry/reader.ts';
import type { Authorizer, Decision } from './authorizer.ts';
import { nodeRules } from './bootstrap/cluster-roles.ts';
import { createNodeAuthorizer } from './node/node-authorizer.ts';
import { NodeGraph } from './node/node-graph.ts';
import { createRbacAuthorizer } from './rbac/rbac-authorizer.ts';
import { RoleResolver } from './rbac/role-resolver.ts';
import type { UserInfo } from './user.ts';
import { mastersGroup, nodeNameOf } from './user-names.ts';

export interface Authorization extends Authorizer {
  /**
   * What the user may do in a namespace, as far as RBAC knows; for SelfSubjectRulesReview and for the escalation check. `incomplete` when
   * others than RBAC may allow more: a role that is missing makes nothing incomplete, it is only a problem.
   */
  rulesFor(user: UserInfo, namespace: string | undefined): { rules: PolicyRule[]; problems: string[]; incomplete: boolean };
  /** Roles and bindings as they are now. */
  readonly roles: RoleResolver;
}

/** system:masters, then the node rules, then RBAC. `extra` authorizers (webhooks) are asked last. */
export function createAuthorization(deps: { reader: Reader; extra?: readonly Authorizer[] }): Authorization {
  const roles = new RoleResolver(deps.reader);
  const authorizers = [
    masters,
    createNodeAuthorizer({ graph: new NodeGraph(deps.reader), rules: nodeRules }),
    createRbacAuthorizer(roles),
    ...(deps.extra ?? []),
  ];
  return {
    roles,
    rulesFor(user, namespace) {
      const { rules, problems } = roles.rulesFor(user, namespace);
      const isNode = nodeNameOf(user) !== undefined;
      const ofNodes = isNode ? ['node authorizer does not support user rule resolution'] : [];
      return { rules, problems: [...ofNodes, ...problems], incomplete: isNode };
    },
    authorize(attributes) {
      const reasons: string[] = [];
      for (const authorizer of authorizers) {
        const decision = authorizer.authorize(attributes);
        if (decision.verdict !== 'noOpinion') return decision;
        if (decision.reason) reasons.push(decision.reason);
      }
      return { verdict: 'noOpinion', reason: reasons.join('\n') };
    },
  };
}

const masters: Authorizer = {
  authorize({ user }): Decision {
    return user.groups.includes(mastersGroup) ? { verdict: 'allow', reason: '' } : { verdict: 'noOpinion', reason: '' };
  },
};
