import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { toTyped } from '../codec/typed.ts';
import type { AnyObject, KubeObject } from '../meta.ts';
import { schemaOf } from '../schema/schema.ts';
import { StatusError } from '../status-error.ts';
import { applyServerSide, type ServerSideApply } from './server-side-apply.ts';
import { trackUpdate } from './track-update.ts';

const nowMs = Date.UTC(2026, 10, 21, 1, 7, 21);
const time = '2026-11-21T01:07:21Z';

const configMap = (data: object | undefined, metadata: object = {}): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'ssa', ...metadata },
    ...(data ? { data } : {}),
  }) as unknown as KubeObject;
const pod = (spec: object, metadata: object = {}): KubeObject =>
  ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', ...metadata }, spec }) as unknown as KubeObject;

const serviceAccount = (fields: object): KubeObject =>
  ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 's' }, ...fields }) as unknown as KubeObject;

const apply = (
  live: KubeObject | undefined,
  applied: KubeObject,
  manager: string,
  more: Partial<ServerSideApply> = {},
): AnyObject =>
  applyServerSide({
    live,
    applied,
    manager,
    schema: schemaOf(applied.kind),
    force: false,
    subresource: '',
    nowMs,
    ...more,
  }) as AnyObject;
/** An object as the registry stores it: in canonical form, with a uid. */
const stored = (object: KubeObject): AnyObject =>
  toTyped({ ...object, metadata: { ...object.metadata, uid: 'u' } }, schemaOf(object.kind)).value as AnyObject;
const entry = (manager: string, operation: string, fieldsV1: object, more: object = {}): object => ({
  manager,
  operation,
  apiVersion: 'v1',
  time,
  fieldsType: 'FieldsV1',
  fieldsV1,
  ...more,
});
const owners = (object: KubeObject): object =>
  Object.fromEntries((object.metadata.managedFields ?? []).map((e) => [`${e.manager} ${e.operation}`, e.fieldsV1]));
const refused = (code: number, message: RegExp) => (error: unknown) =>
  error instanceof StatusError && error.code === code && message.test(error.message);

describe('applyServerSide: what a Kubernetes 1.36 server answered', () => {
  const created = stored(apply(undefined, configMap({ a: '1', b: '1' }), 'm1'));

  it('creates, owning what was applied', () => {
    assert.deepEqual(created.metadata.managedFields, [entry('m1', 'Apply', { 'f:data': { 'f:a': {}, 'f:b': {} } })]);
    assert.deepEqual(created['data'], { a: '1', b: '1' });
  });

  it('refuses to change what another manager owns', () => {
    assert.throws(
      () => apply(created, configMap({ a: '2' }), 'm2'),
      (error) => {
        assert.ok(error instanceof StatusError);
        assert.deepEqual(error.toStatus(), {
          kind: 'Status',
          apiVersion: 'v1',
          metadata: {},
          status: 'Failure',
          message: 'Apply failed with 1 conflict: conflict with "m1": .data.a',
          reason: 'Conflict',
          details: { causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "m1"', field: '.data.a' }] },
          code: 409,
        });
        return true;
      },
    );
  });

  it('takes fields over with force, then drops those of their only owner', () => {
    const forced = stored(apply(created, configMap({ a: '2' }), 'm2', { force: true }));
    assert.deepEqual(forced.metadata.managedFields, [
      entry('m1', 'Apply', { 'f:data': { 'f:b': {} } }),
      entry('m2', 'Apply', { 'f:data': { 'f:a': {} } }),
    ]);
    assert.deepEqual(forced['data'], { a: '2', b: '1' });
    const dropped = apply(forced, configMap({}), 'm1');
    assert.deepEqual(dropped.metadata.managedFields, [
      entry('m1', 'Apply', { 'f:data': {} }),
      entry('m2', 'Apply', { 'f:data': { 'f:a': {} } }),
    ]);
    assert.deepEqual(dropped['data'], { a: '2' });
  });

  it('refuses managedFields in what is applied', () => {
    assert.throws(
      () => apply(created, configMap({}, { managedFields: [{ manager: 'x' }] }), 'm1'),
      refused(400, /^metadata\.managedFields must be nil$/),
    );
  });

  it('names every conflict, and who updates', () => {
    const updated = { ...configMap({ a: '3', b: '1' }), metadata: { ...created.metadata } };
    trackUpdate({ live: created, next: updated, schema: schemaOf('ConfigMap'), manager: 'curl', subresource: '', nowMs });
    assert.throws(
      () => apply(updated, configMap({ a: '4', b: '4' }), 'm2'),
      refused(
        409,
        /^Apply failed with 2 conflicts: conflicts with "curl" using v1:\n- \.data\.a\nconflicts with "m1":\n- \.data\.b$/,
      ),
    );
  });
});

describe('applyServerSide: ownership', () => {
  it('lets managers own a field together as long as they agree', () => {
    let live = stored(apply(undefined, configMap({ a: '1', b: '1' }), 'm1'));
    live = stored(apply(live, configMap({ a: '1' }), 'm2'));
    live = stored(apply(live, configMap({}), 'm1'));
    assert.deepEqual(live['data'], { a: '1' });
    assert.deepEqual(owners(live), { 'm1 Apply': { 'f:data': {} }, 'm2 Apply': { 'f:data': { 'f:a': {} } } });
  });

  it('gives what was there before to before-first-apply', () => {
    const live = stored(configMap({ a: '1', b: '1' }));
    const result = apply(live, configMap({ b: '1', c: '1' }), 'm1');
    assert.deepEqual(owners(result), {
      'm1 Apply': { 'f:data': { 'f:b': {}, 'f:c': {} } },
      'before-first-apply Update': { 'f:data': { '.': {}, 'f:a': {}, 'f:b': {} } },
    });
    assert.throws(
      () => apply(live, configMap({ a: '2' }), 'm1'),
      refused(409, /conflict with "before-first-apply" using v1: \.data\.a$/),
    );
  });

  it('tells list items apart by their keys, absent protocols being TCP', () => {
    const ports = [{ containerPort: 53, protocol: 'UDP' }, { containerPort: 53 }];
    const live = apply(undefined, pod({ containers: [{ name: 'c', image: 'i', ports }] }), 'm1');
    assert.deepEqual(owners(live), {
      'm1 Apply': {
        'f:spec': {
          'f:containers': {
            'k:{"name":"c"}': {
              '.': {},
              'f:image': {},
              'f:name': {},
              'f:ports': {
                'k:{"containerPort":53,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} },
                'k:{"containerPort":53,"protocol":"UDP"}': { '.': {}, 'f:containerPort': {}, 'f:protocol': {} },
              },
            },
          },
        },
      },
    });
    const defaulted = structuredClone(live) as unknown as { spec: { containers: { ports: { protocol?: string }[] }[] } };
    for (const port of defaulted.spec.containers[0]!.ports) port.protocol ??= 'TCP';
    const again = apply(defaulted as unknown as KubeObject, pod({ containers: [{ name: 'c', image: 'i', ports }] }), 'm1');
    assert.deepEqual(again['spec'], defaulted.spec);
  });

  it('removes dropped items, and keeps what others own in them', () => {
    const first = apply(
      undefined,
      pod({
        containers: [
          { name: 'a', image: 'x' },
          { name: 'b', image: 'y' },
        ],
      }),
      'm1',
    );
    const second = apply(first, pod({ containers: [{ name: 'b', tty: true }] }), 'm2');
    const third = apply(second, pod({ containers: [] }), 'm1');
    assert.deepEqual((third['spec'] as { containers: object[] }).containers, [{ name: 'b', resources: {}, tty: true }]);
  });

  it('owns items of sets and atomic lists', () => {
    const live = apply(undefined, pod({ tolerations: [{ key: 'a' }] }, { finalizers: ['x/y'], labels: { l: '1' } }), 'm1');
    assert.deepEqual(owners(live), {
      'm1 Apply': {
        'f:metadata': { 'f:finalizers': { 'v:"x/y"': {} }, 'f:labels': { 'f:l': {} } },
        'f:spec': { 'f:tolerations': {} },
      },
    });
    assert.throws(() => apply(live, pod({ tolerations: [{ key: 'b' }] }), 'm2'), refused(409, /\.spec\.tolerations$/));
    const both = apply(live, pod({}, { finalizers: ['a/b'] }), 'm2');
    assert.deepEqual(both.metadata.finalizers, ['x/y', 'a/b']);
  });

  it('keeps live items before the applied ones they were before', () => {
    const names = (object: AnyObject): string[] =>
      (object['spec'] as { containers: { name: string }[] }).containers.map((c) => c.name);
    const containers = (...list: string[]): KubeObject => pod({ containers: list.map((name) => ({ name })) });
    const live = stored(containers('a', 'x', 'b', 'y'));
    assert.deepEqual(names(apply(live, containers('b', 'a'), 'm')), ['x', 'b', 'y', 'a']);
    assert.deepEqual(names(apply(live, containers('n', 'b'), 'm')), ['a', 'x', 'n', 'b', 'y']);
  });

  it('has an entry of its own for a sub-resource, and leaves ignored fields alone', () => {
    const live = stored(apply(undefined, pod({ nodeName: 'n' }), 'm1', { filter: { except: ['status'] } }));
    const status = { ...pod({}), status: { phase: 'Running' } } as KubeObject;
    const result = apply(live, status, 'm1', { subresource: 'status', filter: { except: ['spec', 'metadata'] } });
    assert.deepEqual(
      result.metadata.managedFields?.map((e) => [e.subresource, e.fieldsV1]),
      [
        [undefined, { 'f:spec': { 'f:nodeName': {} } }],
        ['status', { 'f:status': { 'f:phase': {} } }],
      ],
    );
    assert.throws(
      () => apply(result, { ...status, status: { phase: 'Failed' } } as KubeObject, 'm2', { subresource: 'status' }),
      refused(409, /conflict with "m1" with subresource "status": \.status\.phase$/),
    );
  });

  it('takes over from client-side apply, and keeps its annotation up to date', () => {
    const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
    const before = configMap({ a: '1' }, { annotations: {} });
    const live = stored(configMap({ a: '1' }, { annotations: { [annotation]: JSON.stringify(before) } }));
    trackUpdate({
      live: undefined,
      next: live,
      schema: schemaOf('ConfigMap'),
      manager: 'kubectl-client-side-apply',
      subresource: '',
      nowMs,
    });
    assert.throws(() => apply(live, configMap({ a: '2' }), 'other'), refused(409, /kubectl-client-side-apply/));
    const result = apply(live, configMap({ a: '2' }), 'kubectl');
    assert.deepEqual(result['data'], { a: '2' });
    assert.equal(
      result.metadata.annotations?.[annotation],
      '{"apiVersion":"v1","data":{"a":"2"},"kind":"ConfigMap","metadata":{"name":"ssa"}}\n',
    );
  });

  it('takes a value that is written in another way for another value', () => {
    const limited = (cpu: string): KubeObject => pod({ containers: [{ name: 'a', resources: { limits: { cpu } } }] });
    const live = stored(apply(undefined, limited('0.5'), 'm1'));
    assert.throws(() => apply(live, limited('0.5'), 'm2'), refused(409, /\.resources\.limits\.cpu$/));
    assert.deepEqual(stored(apply(live, limited('0.5'), 'm1', { nowMs: nowMs + 60_000 })), live);
    const empty = stored(apply(undefined, configMap({}), 'm1'));
    assert.throws(() => apply(empty, configMap({}), 'm2'), refused(409, /: \.data$/));
    const shared = stored(apply(empty, configMap({}), 'm2', { force: true }));
    assert.throws(
      () => apply(shared, configMap({}), 'm1'),
      refused(409, /"m2": \.data$/),
      'as upstream: nothing is stored of it',
    );
  });

  it('claims what is null', () => {
    const created = apply(undefined, configMap({ a: null }, { finalizers: null }), 'm');
    assert.deepEqual(owners(created), { 'm Apply': { 'f:data': { 'f:a': {} }, 'f:metadata': { 'f:finalizers': {} } } });
  });

  it('refuses items it cannot tell apart', () => {
    const twice = pod({ containers: [{ name: 'a' }, { name: 'a' }] });
    assert.throws(() => apply(undefined, twice, 'm'), refused(500, /duplicate entries for key \[name="a"\]$/));
    const unnamed = { secrets: [{ namespace: 'x' }] };
    assert.throws(() => apply(undefined, serviceAccount(unnamed), 'm'), refused(500, /omits all key fields \["name"\]/));
    assert.throws(() => apply(undefined, serviceAccount({ secrets: [null] }), 'm'), refused(500, /may not have a null element$/));
  });

  it('takes an absent key that is always written for its zero value', () => {
    const created = apply(undefined, pod({ containers: [{ image: 'i' }] }), 'm');
    assert.deepEqual(owners(created), {
      'm Apply': { 'f:spec': { 'f:containers': { 'k:{"name":""}': { '.': {}, 'f:image': {} } } } },
    });
  });
});

/**
 * Small configurations with maps, list maps, sets and atomic lists, that overlap often. None is empty: of such nothing is stored, so that for two
 * managers applying it again is a conflict.
 */
const value = fc.constantFrom('1', '2');
const config = fc
  .record(
    {
      labels: fc.dictionary(fc.constantFrom('a', 'b', 'c'), value, { minKeys: 1 }),
      finalizers: fc.uniqueArray(fc.constantFrom('x/1', 'x/2', 'x/3'), { minLength: 1 }),
      containers: fc.uniqueArray(
        fc.record(
          {
            name: fc.constantFrom('c1', 'c2', 'c3'),
            image: value,
            args: fc.array(value, { minLength: 1, maxLength: 2 }),
            env: fc.constant([{ name: 'E', value: '1' }]),
          },
          { requiredKeys: ['name'] },
        ),
        { selector: (container) => container.name },
      ),
      tolerations: fc.array(fc.record({ key: value }), { minLength: 1, maxLength: 2 }),
      hostNetwork: fc.constant(true),
    },
    { requiredKeys: [] },
  )
  .map(({ labels, finalizers, ...spec }) => pod(spec, { ...(labels ? { labels } : {}), ...(finalizers ? { finalizers } : {}) }));
const manager = fc.constantFrom('m1', 'm2', 'm3');

/** Some managers have applied, by force where they disagree. */
const history = fc.array(fc.tuple(manager, config), { minLength: 1, maxLength: 5 });
const after = (steps: readonly (readonly [string, KubeObject])[]): AnyObject =>
  steps.reduce<AnyObject | undefined>((live, [name, applied]) => stored(apply(live, applied, name, { force: true })), undefined)!;
const withoutOwners = (object: AnyObject): unknown => ({ ...object, metadata: { ...object.metadata, managedFields: undefined } });

describe('applyServerSide: laws', () => {
  it('changes nothing when the same is applied again', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const live = after(steps);
        const [name, applied] = steps.at(-1)!;
        assert.deepEqual(stored(apply(live, applied, name, { nowMs: nowMs + 60_000 })), live);
      }),
    );
  });

  it('contains what was applied last', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const live = after(steps);
        const applied = steps.at(-1)![1];
        assert.deepEqual(apply(live, applied, 'observer', { force: true }).metadata.labels, live.metadata.labels);
        for (const [label, text] of Object.entries(applied.metadata.labels ?? {}))
          assert.equal(live.metadata.labels?.[label], text);
      }),
    );
  });

  it('without force never changes what others own', () => {
    fc.assert(
      fc.property(history, config, (steps, applied) => {
        const live = after(steps);
        const ownersBefore = owners(live);
        try {
          const next = apply(live, applied, 'm4');
          for (const [owner, fields] of Object.entries(ownersBefore))
            assert.deepEqual((owners(next) as Record<string, object>)[owner], fields);
        } catch (error) {
          assert.ok(refused(409, /^Apply failed with \d+ conflict/)(error));
        }
      }),
    );
  });

  it('leaves nothing behind when everybody withdraws', () => {
    fc.assert(
      fc.property(history, (steps) => {
        let live = after(steps);
        for (const name of ['m1', 'm2', 'm3']) live = stored(apply(live, pod({}), name, { force: true }));
        const leaves = JSON.stringify([live['spec'], live.metadata.labels, live.metadata.finalizers]);
        assert.match(leaves, /^\[(\{("containers":\[\])?\}|null),(\{\}|null),(\[\]|null)\]$/);
      }),
    );
  });

  it('does not depend on the order of managers that agree', () => {
    fc.assert(
      fc.property(config, (applied) => {
        const one = after([
          ['m1', applied],
          ['m2', applied],
        ]);
        const other = after([
          ['m2', applied],
          ['m1', applied],
        ]);
        assert.deepEqual(withoutOwners(one), withoutOwners(other));
      }),
    );
  });
});
