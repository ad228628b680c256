import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '../../api/meta.ts';
import { shareParts } from './shared-parts.ts';
import { deepFreeze } from './stored-form.ts';

interface Pod extends KubeObject {
  spec: Record<string, unknown>;
}

const pod = (name: string, spec: Record<string, unknown>): Pod => ({
  kind: 'Pod',
  apiVersion: 'v1',
  metadata: { name, labels: { app: 'web' }, uid: '', resourceVersion: '', creationTimestamp: '' },
  spec,
});

describe('parts that objects share', () => {
  const rows: readonly { name: string; old: unknown; new: unknown; same: boolean }[] = [
    { name: 'equal lists of objects', old: [{ a: '1', b: [2, null] }], new: [{ a: '1', b: [2, null] }], same: true },
    { name: 'a longer list', old: [1], new: [1, 2], same: false },
    { name: 'a shorter list', old: [1, 2], new: [1], same: false },
    { name: 'another value deep inside', old: { a: { b: { c: true } } }, new: { a: { b: { c: false } } }, same: false },
    { name: 'fields in another order', old: { a: '1', b: '2' }, new: { b: '2', a: '1' }, same: false },
    { name: 'one field more', old: { a: '1' }, new: { a: '1', b: '2' }, same: false },
    { name: 'one field less', old: { a: '1', b: '2' }, new: { a: '1' }, same: false },
    { name: 'a list instead of an object', old: {}, new: [], same: false },
    { name: 'null instead of an object', old: {}, new: null, same: false },
    { name: 'an object instead of null', old: null, new: {}, same: false },
    { name: 'text instead of a number', old: 1, new: '1', same: false },
    { name: 'names that every object inherits', old: {}, new: JSON.parse('{"__proto__":{},"toString":"x"}'), same: false },
  ];
  for (const { name, old, new: value, same } of rows) {
    it(`${same ? 'include' : 'do not include'} ${name}`, () => {
      const before = deepFreeze(pod('a', { part: old }));
      const after = pod('b', { part: value, more: true });
      const text = JSON.stringify(after);
      shareParts(after, before);
      assert.equal(JSON.stringify(after), text);
      assert.equal(after.spec['part'] === before.spec['part'], same);
      assert.equal(after.metadata.labels, before.metadata.labels);
    });
  }

  it('include what is equal inside what is not', () => {
    const env = (value: string): object[] => [
      { name: 'A', value: '1' },
      { name: 'B', value },
    ];
    const before = deepFreeze(pod('a', { containers: [{ name: 'c', env: env('2') }] }));
    const after = pod('b', { containers: [{ name: 'c', env: env('3') }] });
    shareParts(after, before);
    const envOf = ({ spec }: Pod): unknown[] => (spec as { containers: { env: unknown[] }[] }).containers[0]!.env;
    assert.deepEqual(envOf(after), env('3'));
    assert.equal(envOf(after)[0], envOf(before)[0]);
  });

  it('leave frozen parts and managedFields alone', () => {
    const owners = {
      name: 'a',
      get managedFields(): never {
        throw new Error('nobody asked for them');
      },
    };
    const before = { ...pod('a', { part: { x: '1' } }), metadata: owners } as unknown as Pod;
    const part = deepFreeze({ x: '1', y: '2' });
    const after = pod('b', { part });
    after.metadata.managedFields = [];
    shareParts(after, before);
    assert.equal(after.spec['part'], part);
    shareParts(deepFreeze(after), pod('a', { part: { x: '2' } }));
    assert.equal(after.spec['part'], part);
  });
});
