import type { Subject } from '../../../api/generated/types.ts';
import type { Attributes, Authorizer, Decision } from '../authorizer.ts';
import type { Grant, RoleResolver } from './role-resolver.ts';
import { ruleAllows } from './rule-matching.ts';

/** Several problems as one text, each told once; what upstream's Aggregate prints. */
export function joinedProblems(problems: readonly string[]): string {
  const different = [...new Set(problems)];
  return different.length === 1 ? different[0]! : `[${different.join(', ')}]`;
}

/** Role-based access control: allows what a rule of a bound role grants, and never denies. */
export function createRbacAuthorizer(resolver: RoleResolver): Authorizer {
  return {
    authorize(attributes) {
      let allowed: Decision | undefined;
      const problems: string[] = [];
      const namespace = attributes.resource === undefined ? undefined : attributes.namespace;
      resolver.visit(attributes.user, namespace, (grant) => {
        if (grant.problem) problems.push(grant.problem);
        if (!grants(grant, attributes)) return true;
        allowed = { verdict: 'allow', reason: `RBAC: allowed by ${describe(grant)}` };
        return false;
      });
      if (allowed) return allowed;
      return { verdict: 'noOpinion', reason: problems.length > 0 ? `RBAC: ${joinedProblems(problems)}` : '' };
    },
  };
}

const grants = (grant: Grant, attributes: Attributes): boolean => grant.rules.some((rule) => ruleAllows(rule, attributes));

function describe({ binding, subject }: Grant): string {
  const { name, namespace } = binding.metadata;
  const which = namespace ? `RoleBinding "${name}/${namespace}"` : `ClusterRoleBinding "${name}"`;
  return `${which} of ${binding.roleRef.kind} "${binding.roleRef.name}" to ${subject.kind} "${subjectName(subject, namespace)}"`;
}

function subjectName(subject: Subject, bindingNamespace: string | undefined): string {
  if (subject.kind !== 'ServiceAccount') return subject.name;
  return `${subject.name}/${subject.namespace || bindingNamespace || ''}`;
}
