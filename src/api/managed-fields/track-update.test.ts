import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { KubeObject } from '../meta.ts';
import { schemaOf } from '../schema/schema.ts';
import { compare } from './compare.ts';
import { difference, fromFieldsV1, intersection, isEmpty, pathsOf, toFieldsV1, union } from './field-set.ts';
import { pathText } from './path-element.ts';
import { managerName, trackUpdate, type UpdateToTrack } from './track-update.ts';

const nowMs = Date.UTC(2026, 10, 21, 1, 7, 21);
const time = '2026-11-21T01:07:21Z';
const configMap = (data: object | undefined, metadata: object = {}): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c', ...metadata },
    ...(data ? { data } : {}),
  }) as unknown as KubeObject;

/** Stores `next` after `live` as `manager`. The client sends back the managedFields it got unless it says otherwise. */
const update = (
  live: KubeObject | undefined,
  next: KubeObject,
  manager: string,
  more: Partial<UpdateToTrack> = {},
): KubeObject => {
  const managedFields = next.metadata.managedFields ?? live?.metadata.managedFields;
  const result = { ...next, metadata: { ...next.metadata, uid: 'u', ...(managedFields ? { managedFields } : {}) } };
  trackUpdate({ live, next: result, schema: schemaOf(next.kind), manager, subresource: '', nowMs, ...more });
  return result;
};
const owners = (object: KubeObject): object =>
  Object.fromEntries(
    (object.metadata.managedFields ?? []).map((e) => [`${e.manager}${e.subresource ? `/${e.subresource}` : ''}`, e.fieldsV1]),
  );

describe('trackUpdate', () => {
  it('owns what a create sets, containers included', () => {
    const created = update(undefined, configMap({ a: '1' }, { labels: { l: '1' } }), 'curl');
    assert.deepEqual(created.metadata.managedFields, [
      {
        manager: 'curl',
        operation: 'Update',
        apiVersion: 'v1',
        time,
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:data': { '.': {}, 'f:a': {} }, 'f:metadata': { 'f:labels': { '.': {}, 'f:l': {} } } },
      },
    ]);
  });

  it('moves what is changed, and forgets what is removed', () => {
    const created = update(undefined, configMap({ a: '1', b: '1', c: '1' }), 'one');
    const next = update(created, configMap({ a: '2', b: '1', d: '1' }), 'two');
    assert.deepEqual(owners(next), { one: { 'f:data': { '.': {}, 'f:b': {} } }, two: { 'f:data': { 'f:a': {}, 'f:d': {} } } });
  });

  it('owns neither what every new object has nor its lists for being empty', () => {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [{ name: 'a' }] }, status: {} };
    const created = update(undefined, pod as unknown as KubeObject, 'one');
    assert.deepEqual(owners(created), { one: { 'f:spec': { 'f:containers': { 'k:{"name":"a"}': { '.': {}, 'f:name': {} } } } } });
  });

  it('owns the times that are null on the wire', () => {
    const live = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { nodeName: 'n' }, status: {} };
    const created = update(undefined, live as unknown as KubeObject, 'one');
    const ready = { ...live, metadata: created.metadata, status: { conditions: [{ type: 'Ready', status: 'True' }] } };
    const next = update(created, ready as unknown as KubeObject, 'two');
    const item = { '.': {}, 'f:type': {}, 'f:status': {}, 'f:lastProbeTime': {}, 'f:lastTransitionTime': {} };
    assert.deepEqual(owners(next), {
      one: { 'f:spec': { 'f:nodeName': {} } },
      two: { 'f:status': { 'f:conditions': { '.': {}, 'k:{"type":"Ready"}': item } } },
    });
  });

  it('drops owners of nothing a client sends, and sorts the others', () => {
    const created = update(undefined, configMap({ a: '1' }), 'one');
    const [entry] = created.metadata.managedFields!;
    const early = { ...entry!, manager: 'early', time: '2020-01-01T00:00:00Z' };
    const idle = { ...entry!, manager: 'idle', fieldsV1: {} };
    const sent = configMap({ a: '1' }, { managedFields: [entry!, idle, early] });
    assert.deepEqual(update(created, sent, 'two').metadata.managedFields, [early, entry]);
  });

  it('keeps its own when a client sends what cannot be read', () => {
    const created = update(undefined, configMap({ a: '1' }), 'one');
    const broken = { ...created.metadata.managedFields![0]!, fieldsV1: 'text' as unknown as object };
    const next = update(created, configMap({ a: '1' }, { managedFields: [broken] }), 'two');
    assert.deepEqual(next.metadata.managedFields, created.metadata.managedFields);
  });

  it('touches nothing when nothing changed', () => {
    const created = update(undefined, configMap({ a: '1' }), 'one');
    const again = update(created, configMap({ a: '1' }), 'two', { nowMs: nowMs + 5000 });
    assert.equal(again.metadata.managedFields, created.metadata.managedFields);
  });

  it('ignores what the server sets itself', () => {
    const created = update(undefined, configMap(undefined, { generation: 1 }), 'one');
    assert.equal(created.metadata.managedFields, undefined);
    const live = update(undefined, configMap({ a: '1' }), 'one');
    const next = update(live, configMap({ a: '1' }, { generation: 2, resourceVersion: '5' }), 'two');
    assert.deepEqual(owners(next), owners(live));
  });

  it('keeps status writes apart, and ignores what a resource cannot change', () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: { nodeName: 'n' },
      status: {},
    } as unknown as KubeObject;
    const created = update(undefined, pod, 'kubectl', { filter: { except: ['status'] } });
    const running = { ...pod, status: { phase: 'Running' } } as KubeObject;
    const next = update(created, running, 'kubelet', { subresource: 'status', filter: { except: ['spec', 'metadata'] } });
    assert.deepEqual(owners(next), {
      kubectl: { 'f:spec': { 'f:nodeName': {} } },
      'kubelet/status': { 'f:status': { 'f:phase': {} } },
    });
  });

  it('clears on [] and [{}], and does not start again by itself', () => {
    const created = update(undefined, configMap({ a: '1' }), 'one');
    for (const managedFields of [[], [{}]]) {
      const cleared = update(created, configMap({ a: '2' }, { managedFields }), 'two');
      assert.equal(cleared.metadata.managedFields, undefined);
      assert.equal(update(cleared, configMap({ a: '3' }), 'three').metadata.managedFields, undefined);
      const throughStatus = update(created, configMap({ a: '1' }, { managedFields }), 'two', { subresource: 'status' });
      assert.deepEqual(owners(throughStatus), owners(created), 'not through a sub-resource');
    }
  });

  it('believes the client about managers, but not nonsense', () => {
    const created = update(undefined, configMap({ a: '1', b: '1' }), 'one');
    const [entry] = created.metadata.managedFields!;
    const renamed = update(created, configMap({ a: '1', b: '1' }, { managedFields: [{ ...entry, manager: 'other' }] }), 'two');
    assert.deepEqual(owners(renamed), { other: entry?.fieldsV1 });
    const nonsense = update(created, configMap({ a: '1', b: '1' }, { managedFields: [{ manager: 'x' }] }), 'two');
    assert.deepEqual(owners(nonsense), owners(created));
  });

  it('merges the oldest of more than ten updaters', () => {
    let live = update(undefined, configMap({ k0: '1' }), 'm0');
    for (let i = 1; i < 15; i++) {
      const data = Object.fromEntries(Array.from({ length: i + 1 }, (_, j) => [`k${j}`, '1']));
      live = update(live, configMap(data), `m${i}`, { nowMs: nowMs + i * 1000 });
    }
    const entries = live.metadata.managedFields!;
    assert.equal(entries.length, 10);
    assert.equal(entries[0]?.manager, 'ancient-changes');
    const all = entries.map((e) => fromFieldsV1(e.fieldsV1)).reduce(union);
    assert.equal(pathsOf(all).length, 16);
  });
});

describe('managerName', () => {
  it('is what the request says, or the product of its User-Agent', () => {
    assert.equal(managerName('me', 'curl/8'), 'me');
    assert.equal(managerName(undefined, 'kube-controller-manager/v1.36 (linux)'), 'kube-controller-manager');
    assert.equal(managerName('', 'curl'), 'curl');
    assert.equal(managerName(undefined, ''), 'unknown');
    assert.equal(managerName(undefined, 'a'.repeat(200)).length, 128);
  });
});

describe('field sets', () => {
  const element = fc.constantFrom('f:a', 'f:b', 'k:{"name":"x"}', 'v:1');
  const fields = fc.letrec((tie) => ({
    fields: fc.dictionary(element, fc.oneof({ maxDepth: 3 }, fc.constant({}), tie('fields'))),
  })).fields;
  const set = fields.map(fromFieldsV1);
  const texts = (s: Parameters<typeof pathsOf>[0]): string[] => pathsOf(s).map(pathText).sort();

  it('are read and written without loss', () => {
    fc.assert(fc.property(set, (s) => assert.deepEqual(texts(fromFieldsV1(toFieldsV1(s))), texts(s))));
  });

  it('are sets', () => {
    fc.assert(
      fc.property(set, set, (a, b) => {
        const [mine, theirs] = [texts(a), texts(b)];
        assert.deepEqual(texts(union(a, b)), [...new Set([...mine, ...theirs])].sort());
        assert.deepEqual(
          texts(intersection(a, b)),
          mine.filter((path) => theirs.includes(path)),
        );
        assert.deepEqual(
          texts(difference(a, b)),
          mine.filter((path) => !theirs.includes(path)),
        );
        assert.ok(isEmpty(difference(a, a)));
      }),
    );
  });
});

describe('compare', () => {
  const env = fc.uniqueArray(fc.record({ name: fc.constantFrom('a', 'b', 'c'), value: fc.constantFrom('1', '2') }), {
    selector: (e) => e.name,
  });
  const container = fc.record(
    { env, args: fc.array(fc.constantFrom('x', 'y'), { maxLength: 2 }), tty: fc.boolean() },
    { requiredKeys: [] },
  );
  const schema = schemaOf('Container');

  it('is empty for equals, and backwards what was added is removed', () => {
    fc.assert(
      fc.property(container, container, (a, b) => {
        const there = compare(a, b, schema);
        const back = compare(b, a, schema);
        assert.deepEqual(pathsOf(there.added), pathsOf(back.removed));
        assert.deepEqual(pathsOf(there.modified), pathsOf(back.modified));
        const nothing = compare(a, structuredClone(a), schema);
        assert.ok([nothing.added, nothing.modified, nothing.removed].every(isEmpty));
      }),
    );
  });
});
