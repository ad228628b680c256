import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { StatusError } from '../status-error.ts';
import { applyJsonPatch } from './json-patch.ts';
import { applyMergePatch } from './merge-patch.ts';

const op = (name: string, path: string, rest: object = {}): object => ({ op: name, path, ...rest });

/** The examples of RFC 6902, appendix A, and the corners Kubernetes clients use. */
const works: readonly [string, unknown, object[], unknown][] = [
  ['adds a member', { foo: 'bar' }, [op('add', '/baz', { value: 'qux' })], { baz: 'qux', foo: 'bar' }],
  ['adds an element', { foo: ['bar', 'baz'] }, [op('add', '/foo/1', { value: 'qux' })], { foo: ['bar', 'qux', 'baz'] }],
  ['appends', { foo: [1] }, [op('add', '/foo/-', { value: [2] })], { foo: [1, [2]] }],
  ['adds at the end', { foo: [1] }, [op('add', '/foo/1', { value: 2 })], { foo: [1, 2] }],
  ['removes', { a: [1, 2, 3], b: 1 }, [op('remove', '/a/1'), op('remove', '/b')], { a: [1, 3] }],
  ['counts from the end', { a: [1, 2, 3] }, [op('remove', '/a/-1')], { a: [1, 2] }],
  [
    'replaces',
    { a: 1, b: [1] },
    [op('replace', '/a', { value: null }), op('replace', '/b/0', { value: 2 })],
    { a: null, b: [2] },
  ],
  ['moves', { a: { b: 1 }, c: {} }, [op('move', '/c/d', { from: '/a/b' })], { a: {}, c: { d: 1 } }],
  ['moves in a list', { a: [1, 2, 3] }, [op('move', '/a/2', { from: '/a/0' })], { a: [2, 3, 1] }],
  [
    'copies',
    { a: { b: 1 } },
    [op('copy', '/c', { from: '/a' }), op('replace', '/c/b', { value: 2 })],
    { a: { b: 1 }, c: { b: 2 } },
  ],
  [
    'tests',
    { a: { x: 1, y: [1] } },
    [op('test', '/a', { value: { y: [1], x: 1 } }), op('test', '/b', { value: null })],
    { a: { x: 1, y: [1] } },
  ],
  ['reads escapes', { 'a/b': { 'm~n': 1 } }, [op('replace', '/a~1b/m~0n', { value: 2 })], { 'a/b': { 'm~n': 2 } }],
  ['has empty names', { '': 1 }, [op('replace', '/', { value: 2 })], { '': 2 }],
  ['adds what it cannot replace', { a: {} }, [op('replace', '/a/b', { value: 2 })], { a: { b: 2 } }],
  ['replaces everything', { a: 1 }, [op('replace', '', { value: { b: 1 } })], { b: 1 }],
];

const fails: readonly [string, unknown, unknown, number][] = [
  ['a failed test', { a: '1' }, [op('test', '/a', { value: 'zzz' })], 422],
  ['a missing path', { data: {} }, [op('remove', '/data/nope')], 422],
  ['a missing parent', {}, [op('add', '/data/nope', { value: 1 })], 422],
  ['an index past the end', { a: [1] }, [op('add', '/a/2', { value: 1 })], 422],
  ['an index that is none', { a: [1] }, [op('replace', '/a/01', { value: 1 })], 422],
  ['a step into a scalar', { a: 1 }, [op('add', '/a/b', { value: 1 })], 422],
  ['a step into the prototype', {}, [op('add', '/constructor/x', { value: 1 })], 422],
  ['a move into itself', { a: { b: 1 } }, [op('move', '/a/b', { from: '/a' })], 422],
  ['an unknown operation', {}, [op('jump', '/a')], 422],
  ['a path without slash', {}, [op('add', 'a', { value: 1 })], 422],
  ['a missing value', {}, [op('add', '/a')], 422],
  ['something else', {}, { op: 'add' }, 400],
  ['too many operations', {}, Array.from({ length: 10_001 }, () => op('test', '', { value: {} })), 413],
];

describe('applyJsonPatch', () => {
  for (const [name, document, patch, result] of works) {
    it(name, () => {
      const before = JSON.stringify([document, patch]);
      assert.deepEqual(applyJsonPatch(document, patch), result);
      assert.equal(JSON.stringify([document, patch]), before);
    });
  }

  for (const [name, document, patch, code] of fails) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => applyJsonPatch(document, patch),
        (error) => error instanceof StatusError && error.code === code,
      );
    });
  }

  it('does not let copies explode', () => {
    const doubling = Array.from({ length: 40 }, () => op('copy', '/a/-', { from: '/a' }));
    assert.throws(() => applyJsonPatch({ a: ['x'.repeat(100)] }, doubling), /may copy at most/);
  });

  const document = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }));
  const pointer = (name: string): string => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;

  it('replaces one document by another', () => {
    fc.assert(
      fc.property(document, document, (from, to) => {
        const removes = Object.keys(from).map((name) => op('remove', pointer(name)));
        const adds = Object.entries(to).map(([name, value]) => op('add', pointer(name), { value }));
        assert.equal(JSON.stringify(applyJsonPatch(from, [...removes, ...adds])), JSON.stringify(to));
      }),
    );
  });

  it('undoes an add with a remove, and a move with a move back', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { minLength: 1 }), fc.nat(), fc.nat(), fc.jsonValue(), (list, i, j, value) => {
        const at = `/l/${i % (list.length + 1)}`;
        assert.deepEqual(applyJsonPatch({ l: list }, [op('add', at, { value }), op('remove', at)]), { l: list });
        const [from, to] = [`/l/${i % list.length}`, `/l/${j % list.length}`];
        assert.deepEqual(applyJsonPatch({ l: list }, [op('move', to, { from }), op('move', from, { from: to })]), { l: list });
      }),
    );
  });
});

describe('applyMergePatch', () => {
  /** The examples of RFC 7396, appendix A, as far as both sides are objects. */
  const examples: readonly [object, object, object][] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  it('follows the examples of the RFC', () => {
    for (const [document, patch, result] of examples) assert.deepEqual(applyMergePatch(document, patch), result);
  });

  it('is idempotent, and keeps what the patch does not name', () => {
    const object = fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), fc.jsonValue({ maxDepth: 3 }));
    fc.assert(
      fc.property(object, object, (document, patch) => {
        const once = applyMergePatch(document, patch);
        assert.deepEqual(applyMergePatch(once, patch), once);
        for (const name of Object.keys(document)) if (!Object.hasOwn(patch, name)) assert.deepEqual(once[name], document[name]);
      }),
    );
  });

  it('shares nothing with its arguments', () => {
    const document = { a: { b: [1] } };
    const patch = { c: { d: [2] } };
    const result = applyMergePatch(document, patch) as { a: { b: number[] }; c: { d: number[] } };
    result.a.b.push(9);
    result.c.d.push(9);
    assert.deepEqual([document, patch], [{ a: { b: [1] } }, { c: { d: [2] } }]);
  });

  it('refuses what is not an object', () => {
    assert.throws(() => applyMergePatch({}, [1]), StatusError);
  });
});
