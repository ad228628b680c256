import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PolicyRule } from '../../../api/generated/types.ts';
import type { Attributes } from '../authorizer.ts';
import { missingRights } from './escalation.ts';
import { ruleAllows } from './rule-matching.ts';

const some = <T>(...values: T[]): fc.Arbitrary<T[]> => fc.subarray(values, { minLength: 1 });
const resourceRule: fc.Arbitrary<PolicyRule> = fc.record(
  {
    verbs: some('get', 'list', '*'),
    apiGroups: some('', 'apps', '*'),
    resources: some('pods', 'pods/log', 'deployments', '*/log', '*'),
    resourceNames: some('a', 'b'),
  },
  { requiredKeys: ['verbs', 'apiGroups', 'resources'] },
);
const pathRule: fc.Arbitrary<PolicyRule> = fc.record({
  verbs: some('get', '*'),
  nonResourceURLs: some('/x', '/x/*', '/x/y', '*'),
});
const rules = fc.array(fc.oneof(resourceRule, pathRule), { maxLength: 4 });

const user = { name: 'u', groups: [], extra: {} };
const everything: Attributes[] = ['get', 'list', 'delete'].flatMap((verb) => [
  ...['/x', '/x/y', '/z'].map((path) => ({ user, verb, path })),
  ...['', 'apps', 'batch'].flatMap((group) =>
    ['pods', 'deployments', 'jobs'].flatMap((resource) =>
      ['', 'log', 'status'].flatMap((subresource) =>
        ['', 'a', 'c'].map((name) => ({ user, verb, path: '', group, resource, subresource, name })),
      ),
    ),
  ),
]);
const allows = (held: readonly PolicyRule[], attributes: Attributes): boolean =>
  held.some((rule) => ruleAllows(rule, attributes));

test('whoever may grant rules can already do all they allow', () => {
  fc.assert(
    fc.property(rules, rules, (held, wanted) => {
      if (missingRights(held, wanted).length > 0) return;
      for (const attributes of everything)
        if (allows(wanted, attributes)) assert.ok(allows(held, attributes), JSON.stringify({ held, wanted, attributes }));
    }),
    { numRuns: 2000 },
  );
});

test('what is missing is exactly what would have to be added', () => {
  fc.assert(
    fc.property(rules, rules, (held, wanted) => {
      const missing = missingRights(held, wanted);
      assert.deepEqual(missingRights([...held, ...missing], wanted), []);
      assert.deepEqual(missingRights(wanted, wanted), []);
    }),
  );
});
