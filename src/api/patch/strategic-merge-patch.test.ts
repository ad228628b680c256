import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { schemaOf } from '../schema/schema.ts';
import { StatusError } from '../status-error.ts';
import { applyStrategicMergePatch } from './strategic-merge-patch.ts';

const podSpec = schemaOf('PodSpec');
const meta = schemaOf('ObjectMeta');
const names = (list: unknown): unknown => (list as { name: string }[]).map((item) => item.name);
const named = (...list: string[]): { name: string }[] => list.map((name) => ({ name }));

interface Row {
  readonly name: string;
  readonly type: string;
  readonly current: object;
  readonly patch: object;
  readonly result: object;
}

/** What a Kubernetes 1.36 API server answered to the same. */
const rows: readonly Row[] = [
  {
    name: 'puts a new item before the existing ones',
    type: 'PodSpec',
    current: { containers: named('c1', 'c2') },
    patch: { containers: [{ name: 'c3', image: 'i' }] },
    result: { containers: [{ name: 'c3', image: 'i' }, ...named('c1', 'c2')] },
  },
  {
    name: 'merges an item where it is',
    type: 'PodSpec',
    current: { containers: [{ name: 'a', image: 'x', args: ['1'] }, { name: 'b' }] },
    patch: {
      containers: [
        { name: 'b', image: 'y' },
        { name: 'a', image: 'z', args: ['2'] },
      ],
    },
    result: {
      containers: [
        { name: 'b', image: 'y' },
        { name: 'a', image: 'z', args: ['2'] },
      ],
    },
  },
  {
    name: 'removes an item by its merge key',
    type: 'PodSpec',
    current: { containers: named('c1', 'c2', 'c3') },
    patch: { containers: [{ name: 'c2', $patch: 'delete' }] },
    result: { containers: named('c1', 'c3') },
  },
  {
    name: 'orders as $setElementOrder says',
    type: 'PodSpec',
    current: { containers: named('c1', 'c2') },
    patch: { '$setElementOrder/containers': named('c2', 'c1') },
    result: { containers: named('c2', 'c1') },
  },
  {
    name: 'keeps what only the server has between its neighbours',
    type: 'PodSpec',
    current: { containers: named('a', 'server', 'b') },
    patch: { '$setElementOrder/containers': named('new', 'a', 'b'), containers: [{ name: 'new' }] },
    result: { containers: named('new', 'a', 'server', 'b') },
  },
  {
    name: 'adds and deletes in one list',
    type: 'Container',
    current: { env: named('A', 'B') },
    patch: { env: [{ name: 'C' }, { name: 'A', $patch: 'delete' }] },
    result: { env: named('C', 'B') },
  },
  {
    name: 'replaces a list',
    type: 'Container',
    current: { ports: [{ containerPort: 80 }] },
    patch: { ports: [{ $patch: 'replace' }, { containerPort: 90 }] },
    result: { ports: [{ containerPort: 90 }] },
  },
  {
    name: 'replaces atomic lists',
    type: 'PodSpec',
    current: { tolerations: [{ key: 'a' }] },
    patch: { tolerations: [{ key: 'b' }] },
    result: { tolerations: [{ key: 'b' }] },
  },
  {
    name: 'keeps only $retainKeys',
    type: 'DeploymentSpec',
    current: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } },
    patch: { strategy: { $retainKeys: ['type'], type: 'Recreate' } },
    result: { strategy: { type: 'Recreate' } },
  },
  {
    name: 'switches a volume with $retainKeys',
    type: 'PodSpec',
    current: { volumes: [{ name: 'v', emptyDir: {} }] },
    patch: { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] },
    result: { volumes: [{ name: 'v', hostPath: { path: '/x' } }] },
  },
  {
    name: 'replaces a map',
    type: 'ObjectMeta',
    current: { annotations: { a: '1' } },
    patch: { annotations: { $patch: 'replace', x: 'y' } },
    result: { annotations: { x: 'y' } },
  },
  {
    name: 'empties a map',
    type: 'ObjectMeta',
    current: { annotations: { a: '1' } },
    patch: { annotations: { $patch: 'delete' } },
    result: { annotations: {} },
  },
  {
    name: 'merges lists of scalars, new ones first',
    type: 'ObjectMeta',
    current: { finalizers: ['x/y'] },
    patch: { finalizers: ['x/z'] },
    result: { finalizers: ['x/z', 'x/y'] },
  },
  {
    name: 'deletes from a list of scalars',
    type: 'ObjectMeta',
    current: { finalizers: ['x/z', 'x/y'] },
    patch: { '$deleteFromPrimitiveList/finalizers': ['x/y'] },
    result: { finalizers: ['x/z'] },
  },
  {
    name: 'deletes with null, and drops nulls of what is new',
    type: 'ObjectMeta',
    current: { labels: { a: '1', b: '2' } },
    patch: { labels: { a: null, c: null }, annotations: { x: null, y: '1' } },
    result: { labels: { b: '2' }, annotations: { y: '1' } },
  },
  {
    name: 'replaces a map whose strategy says so',
    type: 'PodDisruptionBudgetSpec',
    current: { selector: { matchLabels: { a: '1' } } },
    patch: { selector: { matchLabels: { b: '2' } } },
    result: { selector: { matchLabels: { b: '2' } } },
  },
  {
    name: 'takes directives inside of a new item for fields',
    type: 'PodSpec',
    current: { containers: named('a') },
    patch: { containers: [{ name: 'b', $retainKeys: ['name'], env: [{ name: 'E', $patch: 'delete' }] }] },
    result: { containers: [{ name: 'b', $retainKeys: ['name'], env: [{ name: 'E', $patch: 'delete' }] }, ...named('a')] },
  },
  {
    name: 'takes an item whose key is null for a new one',
    type: 'PodSpec',
    current: { containers: named('a') },
    patch: { containers: [{ name: null, image: 'i' }] },
    result: { containers: [{ name: null, image: 'i' }, ...named('a')] },
  },
  {
    name: 'deletes nothing from what is no list, and nothing where no list says what',
    type: 'ObjectMeta',
    current: { finalizers: ['x/y'], labels: { a: '1' } },
    patch: { '$deleteFromPrimitiveList/labels': ['a'], '$deleteFromPrimitiveList/finalizers': 'x/y' },
    result: { finalizers: ['x/y'], labels: { a: '1' } },
  },
  {
    name: 'drops directives from what is new',
    type: 'PodSpec',
    current: {},
    patch: { containers: [{ name: 'a', $patch: 'delete' }, { name: 'b' }], '$setElementOrder/containers': named('b') },
    result: { containers: named('b') },
  },
];

describe('applyStrategicMergePatch', () => {
  for (const row of rows) {
    it(row.name, () => {
      const before = JSON.stringify([row.current, row.patch]);
      assert.deepEqual(applyStrategicMergePatch(row.current, row.patch, schemaOf(row.type)), row.result);
      assert.equal(JSON.stringify([row.current, row.patch]), before);
    });
  }

  const failures: readonly [string, object, object, number, RegExp][] = [
    [
      'an item without its key',
      { containers: named('a') },
      { containers: [{ image: 'x' }] },
      500,
      /^map: map\[image:x\] does not contain declared merge key: name$/,
    ],
    ['an unknown directive', {}, { $patch: 'wat' }, 500, /^unknown patch type: wat in map: map\[\$patch:wat\]$/],
    ['$retainKeys that forgets a field', { a: 1 }, { $retainKeys: ['a'], b: 1 }, 400, /^invalid patch format of retainKeys$/],
    [
      'an order that contradicts the patch',
      { containers: named('a') },
      { containers: named('x', 'y'), '$setElementOrder/containers': named('y', 'x') },
      500,
      /doesn't match \$setElementOrder/,
    ],
  ];
  for (const [name, current, patch, code, message] of failures) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => applyStrategicMergePatch(current, patch, podSpec),
        (error) => error instanceof StatusError && error.code === code && message.test(error.message),
      );
    });
  }

  const containers = fc.uniqueArray(fc.constantFrom<string[]>('a', 'b', 'c', 'd', 'e'), { maxLength: 5 });

  it('is idempotent', () => {
    fc.assert(
      fc.property(containers, containers, (current, patch) => {
        const patchBody = { containers: patch.map((name) => ({ name, image: 'i' })) };
        const once = applyStrategicMergePatch({ containers: named(...current) }, patchBody, podSpec);
        assert.deepEqual(applyStrategicMergePatch(once, patchBody, podSpec), once);
      }),
    );
  });

  it('brings the items of $setElementOrder into that order and keeps the order of the rest', () => {
    fc.assert(
      fc.property(containers, containers, (current, order) => {
        const patch = { '$setElementOrder/containers': named(...order) };
        const result = names(
          applyStrategicMergePatch({ containers: named(...current) }, patch, podSpec)['containers'],
        ) as string[];
        assert.deepEqual(result.toSorted(), current.toSorted());
        assert.deepEqual(
          result.filter((n) => order.includes(n)),
          order.filter((n) => current.includes(n)),
        );
        assert.deepEqual(
          result.filter((n) => !order.includes(n)),
          current.filter((n) => !order.includes(n)),
        );
      }),
    );
  });

  it('merges maps like a merge patch', () => {
    const labels = fc.dictionary(
      fc.constantFrom('a', 'b', 'c', '__proto__'),
      fc.option(fc.constantFrom('1', '2'), { nil: null }),
    );
    fc.assert(
      fc.property(labels, labels, (current, patch) => {
        const set = Object.fromEntries(Object.entries(current).filter(([, v]) => v !== null));
        const result = applyStrategicMergePatch({ labels: set }, { labels: patch }, meta)['labels'];
        const expected = Object.entries({ ...set, ...patch }).filter(([, v]) => v !== null);
        assert.deepEqual(Object.entries(result as object).sort(), expected.sort());
      }),
    );
  });
});
