import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { StatusError } from '../status-error.ts';
import { checkFieldTerms, matchesFieldTerms, parseFieldSelector, requiredFieldValue } from './field-selector.ts';
import { matchesLabelSelector, parseLabelSelector } from './label-selector.ts';

describe('label selector', () => {
  const labels = { app: 'web', tier: 'front', size: '5', empty: '' };
  const cases: readonly (readonly [text: string, matches: boolean])[] = [
    ['', true],
    ['app=web', true],
    ['app==web,tier!=back', true],
    ['app!=web', false],
    ['none!=x', true],
    ['app in (web, db),tier notin (back)', true],
    ['app in (db)', false],
    ['app', true],
    ['!app', false],
    ['! none', true],
    ['size>4,size<6', true],
    ['size>5', false],
    ['app>1', false],
    ['empty=', true],
    ['empty in (,a)', true],
    ['none in ()', false],
    ['in in (in)', false],
    ['example.com/x notin (a)', true],
  ];
  for (const [text, matches] of cases) {
    it(`${JSON.stringify(text)} ${matches ? 'matches' : 'does not match'}`, () =>
      assert.equal(parseLabelSelector(text).matches(labels), matches));
  }

  const wrong: readonly (readonly [text: string, message: string | RegExp])[] = [
    ['==b', "found '==', expected: !, identifier, or 'end of string'"],
    ['a=b,', "found '', expected: identifier after ','"],
    ['a=b c', "found 'c', expected: ',' or 'end of string'"],
    ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['a in b', "unable to parse requirement: found 'b' expected: '('"],
    ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['a=b=c', "found '=', expected: ',' or 'end of string'"],
    ['a>x', /the value must be an integer/],
    ['a>9223372036854775808', /the value must be an integer/],
    ['a<-9223372036854775809', /the value must be an integer/],
    ['-a=b', /^unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of/],
    ['a=b!', /expected: ',' or 'end of string'/],
    ['a=-', /^unable to parse requirement: values\[0\]\[a\]: Invalid value: "-": a valid label must be/],
  ];
  for (const [text, message] of wrong) {
    it(`${JSON.stringify(text)} is refused`, () =>
      assert.throws(
        () => parseLabelSelector(text),
        (error) => {
          assert.ok(error instanceof StatusError && error.code === 400);
          if (typeof message === 'string') assert.equal(error.message, message);
          else assert.match(error.message, message);
          return true;
        },
      ));
  }

  it('of objects: absent selects nothing, empty everything', () => {
    assert.equal(matchesLabelSelector(undefined, labels), false);
    assert.equal(matchesLabelSelector({}, undefined), true);
    const selector = {
      matchLabels: { app: 'web' },
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['front'] },
        { key: 'x', operator: 'DoesNotExist' },
      ],
    };
    assert.equal(matchesLabelSelector(selector, labels), true);
    assert.equal(matchesLabelSelector(selector, { app: 'web' }), false);
    assert.equal(matchesLabelSelector({ matchExpressions: [{ key: 'a', operator: 'Near' }] }, { a: 'b' }), false);
    assert.equal(matchesLabelSelector({ matchExpressions: [{ key: 'a', operator: 'In' }] }, { a: 'b' }), false);
    assert.equal(matchesLabelSelector({ matchExpressions: [{ key: 'constructor', operator: 'Exists' }] }, {}), false);
  });

  it('matches as its requirements say, one by one, however it is written', () => {
    const key = fc.constantFrom('app', 'tier', 'size', 'example.com/x');
    const value = fc.constantFrom('web', 'db', '', '5', 'in', 'a.b-c_d');
    const space = fc.constantFrom('', ' ', '  ');
    type Held = Readonly<Record<string, string>>;
    interface Requirement {
      readonly text: string;
      readonly holds: (held: Held) => boolean;
    }
    const one = (write: (k: string, v: string, s: string) => string, holds: (found: string | undefined, v: string) => boolean) =>
      fc.tuple(key, value, space).map(([k, v, s]): Requirement => ({ text: write(k, v, s), holds: (held) => holds(held[k], v) }));
    const set = (operator: string, holds: (found: string | undefined, list: readonly string[]) => boolean) =>
      fc.tuple(key, fc.uniqueArray(value, { minLength: 1, maxLength: 3 }), space).map(
        ([k, list, s]): Requirement => ({
          text: `${k} ${operator} (${list.join(`,${s}`)})`,
          holds: (held) => holds(held[k], list),
        }),
      );
    const requirement = fc.oneof(
      one(
        (k, v, s) => `${k}${s}=${s}${v}`,
        (found, v) => found === v,
      ),
      one(
        (k, v, s) => `${k}${s}==${s}${v}`,
        (found, v) => found === v,
      ),
      one(
        (k, v, s) => `${k}${s}!=${s}${v}`,
        (found, v) => found !== v,
      ),
      one(
        (k, _v, s) => `${s}${k}${s}`,
        (found) => found !== undefined,
      ),
      one(
        (k, _v, s) => `!${s}${k}`,
        (found) => found === undefined,
      ),
      set('in', (found, list) => found !== undefined && list.includes(found)),
      set('notin', (found, list) => found === undefined || !list.includes(found)),
    );
    const held = fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true });
    fc.assert(
      fc.property(fc.array(requirement, { minLength: 1, maxLength: 3 }), held, (requirements, some) => {
        const text = requirements.map((each) => each.text).join(',');
        assert.equal(
          parseLabelSelector(text).matches(some),
          requirements.every((each) => each.holds(some)),
          text,
        );
      }),
      { numRuns: 3000 },
    );
  });

  it('never throws anything but a StatusError', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab=!<>(), in\\/.-_1'.split('')), maxLength: 20 }), (text) => {
        try {
          parseLabelSelector(text).matches({ a: 'b' });
        } catch (error) {
          assert.ok(error instanceof StatusError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('field selector', () => {
  it('reads terms, with escapes', () => {
    assert.deepEqual(parseFieldSelector('status.phase!=Running,metadata.name==a\\,b\\=c'), [
      { field: 'metadata.name', operator: '=', value: 'a,b=c' },
      { field: 'status.phase', operator: '!=', value: 'Running' },
    ]);
    assert.equal(requiredFieldValue(parseFieldSelector('metadata.name=x'), 'metadata.name'), 'x');
    assert.equal(requiredFieldValue(parseFieldSelector('metadata.name!=x'), 'metadata.name'), undefined);
  });

  it('matches', () => {
    const read = (field: string): string => ({ a: '1' })[field] ?? '';
    assert.equal(matchesFieldTerms(parseFieldSelector('a=1,b!=2,c='), read), true);
    assert.equal(matchesFieldTerms(parseFieldSelector('a!=1'), read), false);
  });

  it('refuses what it cannot read, and fields the kind has not', () => {
    assert.throws(() => parseFieldSelector('a'), /^StatusError: invalid selector: 'a'; can't understand 'a'$/);
    assert.throws(() => parseFieldSelector('a=b=c'), /unescaped character in value: 61/);
    assert.throws(() => parseFieldSelector('a=\\x'), /invalid escape sequence: \\x/);
    const terms = parseFieldSelector('data.a=b');
    assert.throws(
      () => checkFieldTerms(terms, { selectableFields: {} }),
      /"data\.a" is not a known field selector: only "metadata\.name", "metadata\.namespace"/,
    );
    assert.throws(() => checkFieldTerms(terms, { selectableFields: { type: 1 } }), /field label not supported: data\.a/);
  });
});
