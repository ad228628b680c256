import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { StatusError } from '../status-error.ts';
import { maxYamlParts } from './limits.ts';
import { parseYaml, YamlError } from './yaml.ts';

const works: readonly (readonly [name: string, text: string, value: unknown])[] = [
  ['an alias is what it stands for', 'a: &x {b: [1]}\nc: *x\nd: [*x, 2]', { a: { b: [1] }, c: { b: [1] }, d: [{ b: [1] }, 2] }],
  ['an anchor may be given again', 'a: &x 1\nb: *x\nc: &x 2\nd: *x', { a: 1, b: 1, c: 2, d: 2 }],
  ['an alias may be a key', 'a: &x k\n*x : 1', { a: 'k', k: 1 }],
  [
    'a merge key gives what the map has not',
    'a: &x {b: 1, c: 1}\nd:\n  <<: *x\n  c: 2',
    { a: { b: 1, c: 1 }, d: { b: 1, c: 2 } },
  ],
  ['a map has its own fields first', 'd:\n  c: 2\n  <<: {b: 1, c: 1}', { d: { c: 2, b: 1 } }],
  ['several maps are merged, the first wins', 'd: {<<: [{a: 1}, {a: 2, b: 2}]}', { d: { a: 1, b: 2 } }],
  ['a quoted merge key is a key', '"<<": {a: 1}', { '<<': { a: 1 } }],
  ['keys are text', '1: a\ntrue: b\n~: c\n1.5: d', { 1: 'a', true: 'b', '': 'c', 1.5: 'd' }],
  ['a dot is a text', '.: {a: .}', { '.': { a: '.' } }],
  ['nothing is null', '', null],
  ['fields without value are null', 'a:\nb: [,]'.replace('[,]', '[~]'), { a: null, b: [null] }],
  ['any name may be a field', '{"__proto__": 1, "constructor": 2}', JSON.parse('{"__proto__": 1, "constructor": 2}')],
];

const refused: readonly (readonly [name: string, text: string, why: RegExp])[] = [
  ['an alias of nothing', 'a: *x', /^error converting YAML to JSON: yaml: unknown anchor 'x' referenced$/],
  ['an alias before its anchor', 'a: *x\nb: &x 1', /unknown anchor 'x' referenced$/],
  ['a value within itself', 'a: &x [*x]', /anchor 'x' value contains itself$/],
  ['a merge of what is no map', 'a: {<<: 1}', /map merge requires map or sequence of maps as the value$/],
  ['a map as a key', '{a: b}: c', /invalid map key: \{"a":"b"\}$/],
  ['what is no YAML', 'a: b\nc: [', /^error converting YAML to JSON: yaml: line 2: /],
];

describe('parseYaml', () => {
  for (const [name, text, value] of works) it(name, () => assert.deepEqual(parseYaml(text), { value, duplicates: undefined }));

  for (const [name, text, why] of refused) {
    it(`refuses ${name}`, () =>
      assert.throws(
        () => parseYaml(text),
        (error) => error instanceof YamlError && why.test(error.message),
      ));
  }

  it('says where a key is given again, but not of merged ones', () => {
    const { value, duplicates } = parseYaml('a: 1\nb: {<<: {c: 1}, c: 2}\n"a": 2\nb: 3\n');
    assert.deepEqual(value, { a: 2, b: 3 });
    assert.equal(
      duplicates,
      'yaml: unmarshal errors:\n  line 3: key "a" already set in map\n  line 4: key "b" already set in map',
    );
  });

  it('refuses what would take long to read, whatever it is made of', () => {
    const many = maxYamlParts + 1;
    const texts = ['- a\n', 'a: 1\n', '\n', '#\n', '? ', 'a: b: c\n', '---\n', '%TAG ! x\n', ' a: \n'].map((part) =>
      part.repeat(many),
    );
    for (const text of [...texts, `[${'a,'.repeat(many)}]`, `{${':,'.repeat(many)}}`])
      assert.throws(
        () => parseYaml(text),
        (error) => error instanceof StatusError && error.code === 413 && /Send it as JSON/.test(error.message),
        text.slice(0, 10),
      );
  });

  it('reads long texts in few parts', () => {
    const line = 'a line of a text, with: marks - of [many] kinds # in it\n';
    const { value } = parseYaml(`a: |\n${`  ${line}`.repeat(20_000)}b: ${'x'.repeat(1_000_000)}`);
    assert.deepEqual(value, { a: line.repeat(20_000), b: 'x'.repeat(1_000_000) });
  });

  it('refuses aliases that stand for too much, whatever they are', () => {
    const nested = Array.from({ length: 9 }, (_, i) => `a${i}: &a${i} [${Array(10).fill(i === 0 ? 'x' : `*a${i - 1}`)}]`);
    const wide = `a: &a ${'x'.repeat(50_000)}\nb: [${Array(100).fill('*a')}]`;
    const merged = `a: &a {${Array.from({ length: 2000 }, (_, i) => `k${i}: ${'v'.repeat(20)}`)}}\nb: [${Array(100).fill('{<<: *a}')}]`;
    for (const text of [nested.join('\n'), wide, merged])
      assert.throws(() => parseYaml(text), /: document contains excessive aliasing$/);
  });

  it('reads what was written, with aliases too', () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    fc.assert(
      fc.property(value, fc.boolean(), (json, flow) => {
        const plain = JSON.parse(JSON.stringify(json)) as unknown;
        const text = stringify({ a: plain, b: plain }, { version: '1.1', collectionStyle: flow ? 'flow' : 'any' });
        assert.deepEqual(parseYaml(text).value, { a: plain, b: plain });
      }),
    );
  });

  const large: readonly (readonly [name: string, text: (n: number) => string])[] = [
    ['keys', (n) => Array.from({ length: n }, (_, i) => `k${i}: v\n`).join('')],
    ['anchors and aliases', (n) => `a: [${Array.from({ length: n }, (_, i) => `&a${i} b, *a${i}`)}]`],
    ['keys given again', (n) => 'a: b\n'.repeat(n)],
  ];
  for (const [name, text] of large) {
    it(`takes time in proportion to the text: ${name}`, () => {
      const once = (source: string): number => {
        const before = process.cpuUsage();
        parseYaml(source);
        return process.cpuUsage(before).user;
      };
      // The least of a few: collections and what else the process does come on top.
      const cost = (n: number): number => Math.min(...Array.from({ length: 5 }, () => once(text(n))));
      const [small, big] = [Math.max(5000, cost(500)), cost(4_000)];
      // Eight times the text; what grows with its square would take 64 times as long.
      assert.ok(big < 30 * small, `${small} µs, then ${big} µs`);
    });
  }
});
