import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FieldError } from '../field-error.ts';
import { semanticEqual } from './equal.ts';
import { duplicate, forbidden, invalid, notFound, notSupported, required, tooLong, tooMany } from './errors.ts';
import { cidrContains, formatIp, isNetworkAddress, parseCidr, parseIp } from './ip.ts';
import { checkLabelSelector } from './labels.ts';
import * as names from './names.ts';
import { annotationsLimitBytes, utf8Length, validateObjectMeta, validateObjectMetaUpdate } from './object-meta.ts';
import { checkRequirements } from './quantities.ts';

const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

describe('field errors read as upstream writes them', () => {
  const cases: readonly [FieldError, string][] = [
    [required('f'), 'Required value'],
    [required('f', 'why'), 'Required value: why'],
    [invalid('f', 'x', 'why'), 'Invalid value: "x": why'],
    [invalid('f', 80, 'why'), 'Invalid value: 80: why'],
    [invalid('f', ['10.43.9.9'], 'may not change once set'), 'Invalid value: ["10.43.9.9"]: may not change once set'],
    [notSupported('f', 'Foo', ['A', 'B']), 'Unsupported value: "Foo": supported values: "A", "B"'],
    [duplicate('f', 'x'), 'Duplicate value: "x"'],
    [notFound('f', 'x'), 'Not found: "x"'],
    [forbidden('f', 'why'), 'Forbidden: why'],
    [tooLong('f', 253), 'Too long: may not be more than 253 bytes'],
    [tooMany('f', 9, 8), 'Too many: 9: must have at most 8 items'],
  ];
  for (const [error, message] of cases) it(message, () => assert.equal(error.message, message));
});

describe('names', () => {
  const rows: readonly [string, names.TextRule, string, readonly string[]][] = [
    ['a subdomain', names.dns1123Subdomain, 'a.b-c.1', []],
    ['no subdomain', names.dns1123Subdomain, 'Bad_Name', [subdomain]],
    ['a long subdomain', names.dns1123Subdomain, 'a'.repeat(254), ['must be no more than 253 characters']],
    ['a label', names.dns1123Label, '123-abc', []],
    ['a label with dots', names.dns1123Label, 'a.b', ['must not contain dots']],
    ['a wildcard', names.wildcardSubdomain, '*.example.com', []],
    ['a path segment', names.pathSegment, 'system:node', []],
    ['two path segments', names.pathSegment, 'a/b', ["may not contain '/'"]],
    ['a qualified name', names.qualifiedName, 'example.com/My_name.x', []],
    [
      'a qualified name with a long domain',
      names.qualifiedName,
      `${'a'.repeat(254)}/b`,
      ['prefix part must be no more than 253 bytes'],
    ],
    ['a qualified name with a bad domain', names.qualifiedName, 'a b/c', [`prefix part ${names.dns1123Subdomain('a b')[0]}`]],
    ['a qualified name without a name', names.qualifiedName, 'example.com/', ['name part must be non-empty', '']],
    ['an empty label value', names.labelValue, '', []],
    ['a port name', names.portName, 'http-metrics', []],
    ['a port name of digits', names.portName, '80', ['must contain at least one letter (a-z)']],
    ['a key that is a path', names.configMapKey, '..', ["must not be '..'"]],
    ['a variable', names.envVarName, 'my.VAR-1', []],
    ['a variable with =', names.envVarName, 'a=b', ['']],
  ];
  for (const [title, rule, value, expected] of rows) {
    it(title, () => {
      const problems = rule(value);
      assert.equal(problems.length, expected.length, problems.join('; '));
      for (const [i, text] of expected.entries()) if (text) assert.equal(problems[i], text);
    });
  }
});

describe('addresses', () => {
  for (const [text, canonical] of [
    ['10.0.0.1', '10.0.0.1'],
    ['2001:db8:0:0::1', '2001:db8::1'],
    ['::', '::'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['fe80:0:0:1:0:0:0:1', 'fe80:0:0:1::1'],
  ] as const) {
    it(`${text} is ${canonical}`, () => assert.equal(formatIp(parseIp(text)!), canonical));
  }
  for (const text of ['', '10.0.0', '10.0.0.256', '010.0.0.1', '1::2::3', ':::', '12345::', 'a', '1:2:3:4:5:6:7']) {
    it(`${JSON.stringify(text)} is none`, () => assert.equal(parseIp(text), undefined));
  }
  it('knows what a network holds', () => {
    const outer = parseCidr('10.0.0.0/8')!;
    assert.ok(cidrContains(outer, parseCidr('10.1.0.0/16')!));
    assert.ok(!cidrContains(outer, parseCidr('11.1.0.0/16')!));
    assert.ok(isNetworkAddress(outer) && !isNetworkAddress(parseCidr('10.0.0.1/8')!));
    assert.equal(parseCidr('10.0.0.0/33'), undefined);
  });
});

describe('semantic equality', () => {
  const rows: readonly [string, unknown, unknown, boolean][] = [
    ['absent, null and an empty list', { a: [] }, { a: null }, true],
    ['absent and an empty list', { a: [] }, {}, true],
    ['an empty object is something', { a: {} }, {}, false],
    ['order of keys', { a: 1, b: 2 }, { b: 2, a: 1 }, true],
    ['order of items', [1, 2], [2, 1], false],
    ['zero is something', { a: 0 }, {}, false],
  ];
  for (const [title, a, b, expected] of rows) {
    it(title, () => {
      assert.equal(semanticEqual(a, b), expected);
      assert.equal(semanticEqual(b, a), expected);
    });
  }
});

describe('object metadata', () => {
  const kind = { nameRule: 'dns1123Subdomain', scope: 'Namespaced', type: 'ConfigMap' } as const;
  const meta = (extra: object) => ({ name: 'a', namespace: 'b', uid: 'u', resourceVersion: '', creationTimestamp: '', ...extra });
  const rows: readonly [string, object, readonly string[]][] = [
    ['a good one', {}, []],
    ['no name', { name: '' }, ['metadata.name: Required value: name or generateName is required']],
    ['a bad name', { name: 'Bad_Name' }, [`metadata.name: Invalid value: "Bad_Name": ${subdomain}`]],
    ['no namespace', { namespace: '' }, ['metadata.namespace: Required value']],
    ['a prefix that ends in a dash', { generateName: 'x-' }, []],
    ['a controller too many', { ownerReferences: [owner('a'), owner('b')] }, ['metadata.ownerReferences: Invalid value:']],
    [
      'an owner without uid',
      { ownerReferences: [{ ...owner('a'), uid: '' }] },
      ['metadata.ownerReferences.uid: Invalid value: ""'],
    ],
    [
      'both finalizers of the garbage collector',
      { finalizers: ['orphan', 'foregroundDeletion'] },
      [
        'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
      ],
    ],
    ['a label value that is none', { labels: { a: '-' } }, ['metadata.labels: Invalid value: "-": a valid label must be']],
    [
      'too many annotations',
      { annotations: { a: 'x'.repeat(annotationsLimitBytes) } },
      ['metadata.annotations: Too long: may not be more than 262144 bytes'],
    ],
  ];
  for (const [title, extra, expected] of rows) {
    it(title, () => assertErrors(validateObjectMeta(kind, meta(extra)), expected));
  }

  it('takes finalizers without a domain only where they are standard or of custom resources', () => {
    const finalizers = ['kubernetes', 'mine'];
    assertErrors(validateObjectMeta(kind, meta({ finalizers })), [
      'metadata.finalizers[1]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    ]);
    assertErrors(validateObjectMeta({ ...kind, type: '' }, meta({ finalizers })), []);
  });

  it('does not take new finalizers while the object is being deleted', () => {
    const previous = meta({ deletionTimestamp: 't', finalizers: ['a.b/c'] });
    const next = { ...previous, finalizers: ['a.b/c', 'a.b/d'] };
    assertErrors(validateObjectMetaUpdate(next, previous), [
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a.b/d"}',
    ]);
  });

  it('counts bytes of UTF-8', () => {
    for (const text of ['', 'abc', 'äöü', '€', '😀', 'a😀ä€']) assert.equal(utf8Length(text), Buffer.byteLength(text));
  });
});

function owner(name: string) {
  return { apiVersion: 'apps/v1', kind: 'ReplicaSet', name, uid: 'u', controller: true };
}

describe('label selectors', () => {
  it('need values for In and none for Exists', () => {
    const errors: FieldError[] = [];
    const matchExpressions = [
      { key: 'a', operator: 'In' },
      { key: 'a', operator: 'Exists', values: ['x'] },
      { key: 'a', operator: 'Foo' },
    ];
    checkLabelSelector(errors, 'spec.selector', { matchExpressions });
    assertErrors(errors, [
      "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
      "spec.selector.matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
      'spec.selector.matchExpressions[2].operator: Invalid value: "Foo": not a valid selector operator',
    ]);
  });
});

describe('requests and limits', () => {
  const rows: readonly [string, object, readonly string[]][] = [
    ['equal amounts in other words', { limits: { cpu: '1' }, requests: { cpu: '1000m' } }, []],
    [
      'more than the limit',
      { limits: { cpu: '1' }, requests: { cpu: '2' } },
      ['r.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
    ],
    ['less than nothing', { limits: { cpu: '-1' } }, ['r.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0']],
    ['half a device', { limits: { 'a.b/gpu': '500m' } }, ['r.limits[a.b/gpu]: Invalid value: "500m": must be an integer']],
    [
      'a device without a limit',
      { requests: { 'a.b/gpu': '1' } },
      ['r.limits: Required value: Limit must be set for non overcommitable resources'],
    ],
    [
      'a resource of quotas',
      { limits: { pods: '1' } },
      ['r.limits[pods]: Invalid value: "pods": must be a standard resource for containers'],
    ],
  ];
  for (const [title, requirements, expected] of rows) {
    it(title, () => {
      const errors: FieldError[] = [];
      checkRequirements(errors, 'r', requirements);
      assertErrors(errors, expected);
    });
  }
});

function assertErrors(errors: readonly FieldError[], expected: readonly string[]): void {
  const texts = errors.map((e) => `${e.field}: ${e.message}`);
  assert.equal(texts.length, expected.length, texts.join('\n'));
  for (const [i, text] of expected.entries()) assert.ok(texts[i]?.startsWith(text), `${texts[i]}\nis not\n${text}`);
}
