import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { PolicyRule, RoleRef, Subject } from '../../../api/generated/types.ts';
import type { KubeObject } from '../../../api/meta.ts';
import { bootstrapRbac } from './bootstrap-rbac.ts';

type RbacObject = KubeObject & { rules?: PolicyRule[]; subjects?: Subject[]; roleRef?: RoleRef; aggregationRule?: object };

/**
 * For each kind: how many default objects Kubernetes 1.36 has, how many single rights and subjects they hold, and the SHA-256 of these as
 * `facts` writes them. Roles that aggregate count with their selectors; their rules follow.
 */
const upstream: Readonly<Record<string, { objects: number; facts: number; sha256: string }>> = {
  ClusterRole: { objects: 69, facts: 1473, sha256: '804c3b3ba431f9b34f63fbd66951b9d82f0cda785eb9541109709bcdda5ce84a' },
  ClusterRoleBinding: { objects: 50, facts: 100, sha256: '0f605fb0c2dd9393614cc5aa12db15b920d3359752ad2c422b670f41ecf5dc17' },
  Role: { objects: 7, facts: 57, sha256: 'b1d91ef86438325516f2a18566b8dd25284ec0f0cc1f7e6a06edbb0086a997a5' },
  RoleBinding: { objects: 7, facts: 17, sha256: '94584dae9874620f8419170f9ea3e83abaaa310c5a5da1cb4e5b842481e0848c' },
};

/** What an object grants, one fact a line. */
function facts(object: RbacObject): string[] {
  const { kind, metadata, rules = [], subjects = [], roleRef, aggregationRule } = object;
  const who = [kind, metadata.namespace ?? '', metadata.name].join(' ');
  if (aggregationRule) return [`${who}: ${JSON.stringify(aggregationRule)}`];
  if (roleRef)
    return [...subjects.map((s) => `${who}: ${roleRef.kind} ${roleRef.name} to ${s.kind} ${s.namespace ?? ''} ${s.name}`), who];
  return [who, ...rules.flatMap(rights).map((right) => `${who}: ${right}`)];
}

function rights({ verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }: PolicyRule): string[] {
  const names = resourceNames.length > 0 ? resourceNames : [''];
  const targets = apiGroups.flatMap((group) => resources.flatMap((r) => names.map((name) => `${group}|${r}|${name}`)));
  return verbs.flatMap((verb) => [...targets, ...nonResourceURLs].map((target) => `${verb} ${target}`));
}

test('the default roles and bindings are those of Kubernetes, and a few of our own', () => {
  const all = (bootstrapRbac() as RbacObject[]).filter((o) => !o.metadata.name.startsWith('system:skiff:'));
  for (const [kind, expected] of Object.entries(upstream)) {
    const objects = all.filter((o) => o.kind === kind);
    const lines = [...new Set(objects.flatMap(facts))].sort();
    const sha256 = createHash('sha256').update(lines.join('\n')).digest('hex');
    assert.deepEqual({ objects: objects.length, facts: lines.length, sha256 }, expected, kind);
  }
});

test('our own additions bind nodes and machines that join', () => {
  const own = (bootstrapRbac() as RbacObject[]).filter((o) => o.metadata.name.startsWith('system:skiff:'));
  assert.deepEqual(
    own.map((o) => `${o.kind} ${o.metadata.name}`),
    [
      'ClusterRole system:skiff:node-network',
      'ClusterRoleBinding system:skiff:node-network',
      'ClusterRoleBinding system:skiff:node-bootstrapper',
      'ClusterRoleBinding system:skiff:approve-node-client',
      'ClusterRoleBinding system:skiff:approve-node-renewal',
      'ClusterRoleBinding system:skiff:approve-node-serving',
    ],
  );
});
