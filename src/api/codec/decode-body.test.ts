import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { TypeSchema } from '../schema/type-schema.ts';
import { StatusError } from '../status-error.ts';
import { type BodyKind, decodeBody, type FieldValidation } from './decode-body.ts';

const configMap: BodyKind = { group: '', version: 'v1', kind: 'ConfigMap', type: 'ConfigMap' };
const deployment: BodyKind = { group: 'apps', version: 'v1', kind: 'Deployment', type: 'Deployment' };
const pod: BodyKind = { group: '', version: 'v1', kind: 'Pod', type: 'Pod' };
const secret: BodyKind = { group: '', version: 'v1', kind: 'Secret', type: 'Secret' };
const widget: BodyKind = { group: 'ex.com', version: 'v1', kind: 'Widget' };

const encoder = new TextEncoder();
const decode = (
  text: string,
  kind: BodyKind = configMap,
  options: { contentType?: string; fieldValidation?: FieldValidation } = {},
) => decodeBody({ bytes: encoder.encode(text), contentType: '', kind, fieldValidation: 'Warn', ...options });
const json = (text: string, kind?: BodyKind): string => JSON.stringify(decode(text, kind).object);

function refusal(run: () => unknown): StatusError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: 'it was not refused' });
}

describe('refused bodies', () => {
  const cases: readonly (readonly [name: string, kind: BodyKind, body: string, message: string])[] = [
    [
      'wrong kind',
      configMap,
      '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"g2"}}',
      'Pod in version "v1" cannot be handled as a ConfigMap: converting (v1.Pod) to (core.ConfigMap): unknown conversion',
    ],
    [
      'wrong apiVersion',
      configMap,
      '{"kind":"ConfigMap","apiVersion":"v2","metadata":{"name":"g2"}}',
      'ConfigMap in version "v2" cannot be handled as a ConfigMap: no kind "ConfigMap" is registered for version "v2" in scheme "pkg/api/legacyscheme/scheme.go:30"',
    ],
    [
      'truncated',
      configMap,
      '{"metadata":',
      'the object provided is unrecognized (must be of type ConfigMap): couldn\'t get version/kind; json parse error: unexpected end of JSON input ({"metadata":)',
    ],
    [
      'not JSON',
      configMap,
      '{"metadata":{"name":nope}}',
      "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: invalid character 'o' in literal null (expecting 'u') ({\"metadata\":{\"name\":nope}})",
    ],
    [
      'empty',
      configMap,
      '',
      "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)",
    ],
    [
      'wrong type in a map',
      configMap,
      '{"metadata":{"name":"g3"},"data":{"a":1}}',
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
    ],
    [
      'text for a number',
      deployment,
      '{"spec":{"replicas":"three"}}',
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      'fraction for an integer',
      deployment,
      '{"spec":{"replicas":1.5}}',
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      'object for a list',
      deployment,
      '{"spec":{"template":{"spec":{"containers":{}}}}}',
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container',
    ],
    [
      'list for an object',
      pod,
      '{"spec":[]}',
      'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal array into Go struct field Pod.spec of type v1.PodSpec',
    ],
    [
      'named string type',
      pod,
      '{"spec":{"restartPolicy":true}}',
      'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal bool into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy',
    ],
    [
      'not a quantity',
      pod,
      '{"spec":{"containers":[{"name":"c","resources":{"limits":{"cpu":"much"}}}]}}',
      'Pod in version "v1" cannot be handled as a Pod: quantities must match the regular expression \'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$\'',
    ],
    [
      'not a time',
      configMap,
      '{"metadata":{"creationTimestamp":"today"}}',
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: parsing time "today" as "2006-01-02T15:04:05Z07:00": cannot parse "today" as "2006"',
    ],
    [
      'not base64',
      secret,
      '{"data":{"a":"%%%"}}',
      'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 0',
    ],
    [
      'not an object',
      configMap,
      '[]',
      'the object provided is unrecognized (must be of type ConfigMap): couldn\'t get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" } (5b5d)',
    ],
  ];
  for (const [name, kind, body, message] of cases) {
    it(name, () => {
      const error = refusal(() => decode(body, kind));
      assert.equal(error.message, message);
      assert.equal(error.code, 400);
      assert.equal(error.reason, 'BadRequest');
    });
  }

  it('another version of the kind', () => {
    const v1: BodyKind = {
      group: 'autoscaling',
      version: 'v1',
      kind: 'HorizontalPodAutoscaler',
      type: 'HorizontalPodAutoscaler',
    };
    assert.equal(
      refusal(() => decode('{"kind":"HorizontalPodAutoscaler","apiVersion":"autoscaling/v2"}', v1)).message,
      'the API version in the data (autoscaling/v2) does not match the expected API version (autoscaling/v1)',
    );
  });

  it('an unknown content type is a 415', () => {
    const error = refusal(() => decode('<a/>', configMap, { contentType: 'application/xml' }));
    assert.equal(error.code, 415);
  });

  it('too deep', () => {
    const deep = `{"data":${'['.repeat(5000)}${']'.repeat(5000)}}`;
    assert.match(refusal(() => decode(deep)).message, /exceeded max depth/);
    assert.match(refusal(() => decode(deep, configMap, { contentType: 'application/yaml' })).message, /exceeded max depth/);
  });
});

describe('unknown and duplicate fields', () => {
  const body = '{"metadata":{"name":"w2"},"bogus":1,"data":{"a":"1","a":"2"}}';

  it('are warned of, in the order of the document', () => {
    assert.deepEqual(decode(body).warnings, ['unknown field "bogus"', 'duplicate field "data.a"']);
    assert.equal(json(body), '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"w2"},"data":{"a":"2"}}');
  });

  it('are refused with Strict', () => {
    assert.equal(
      refusal(() => decode(body, configMap, { fieldValidation: 'Strict' })).message,
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "bogus", duplicate field "data.a"',
    );
  });

  it('are dropped with Ignore', () => {
    assert.deepEqual(decode(body, configMap, { fieldValidation: 'Ignore' }).warnings, []);
  });

  it('are named with their path', () => {
    const nested = '{"spec":{"containers":[{"name":"c"},{"name":"d","imagee":"x","env":[{"name":"A","name":"B"}]}]}}';
    assert.deepEqual(decode(nested, pod).warnings, [
      'unknown field "spec.containers[1].imagee"',
      'duplicate field "spec.containers[1].env[0].name"',
    ]);
  });

  it('count in custom resources only where a schema says so', () => {
    assert.deepEqual(decode('{"metadata":{"bogus":1},"spec":{"a":1,"a":{"b":2}}}', widget).warnings, [
      'unknown field "metadata.bogus"',
      'duplicate field "spec.a"',
    ]);
  });

  it('are pruned and reported by the schema of a custom resource; wrong types are left to validation', () => {
    const schema: TypeSchema = {
      type: 'object',
      fields: new Map(
        Object.entries({
          spec: { type: 'object', fields: new Map([['size', { schema: { type: 'int64' }, required: true, zero: 'keep' }]]) },
        } satisfies Record<string, TypeSchema>).map(([name, s]) => [name, { schema: s, required: false, zero: 'keep' }]),
      ),
    };
    const kind = { ...widget, schema };
    const decoded = decode('{"kind":"Widget","metadata":{"name":"w"},"spec":{"size":"big","colour":"red"}}', kind);
    assert.deepEqual(decoded.warnings, ['unknown field "spec.colour"']);
    assert.equal(
      JSON.stringify(decoded.object),
      '{"kind":"Widget","apiVersion":"ex.com/v1","metadata":{"name":"w"},"spec":{"size":"big"}}',
    );
    assert.match(
      refusal(() => decode('{"metadata":{"labels":{"a":1}}}', kind)).message,
      /cannot unmarshal number into Go struct field/,
    );
  });

  it('are found in YAML', () => {
    const decoded = decode('metadata: {name: w}\nbogus: 1\ndata:\n  a: "1"\n  a: "2"\n', configMap, {
      contentType: 'application/yaml',
    });
    assert.deepEqual(decoded.warnings, ['line 5: key "a" already set in map', 'unknown field "bogus"']);
  });
});

describe('the form of decoded objects', () => {
  const cases: readonly (readonly [name: string, kind: BodyKind, body: string, expected: string])[] = [
    ['identity and metadata are filled in', configMap, '{}', '{"kind":"ConfigMap","apiVersion":"v1","metadata":{}}'],
    ['null is an empty object', configMap, 'null', '{"kind":"ConfigMap","apiVersion":"v1","metadata":{}}'],
    [
      'structs are filled in, zero values left out, fields ordered',
      pod,
      '{"spec":{"hostNetwork":false,"nodeSelector":{},"activeDeadlineSeconds":0,"volumes":[{"emptyDir":{},"name":"v"}]}}',
      '{"kind":"Pod","apiVersion":"v1","metadata":{},"spec":{"volumes":[{"name":"v","emptyDir":{}}],"containers":[],"activeDeadlineSeconds":0},"status":{}}',
    ],
    [
      'quantities are canonical',
      pod,
      '{"spec":{"containers":[{"name":"c","resources":{"limits":{"memory":"1024Mi","cpu":0.5}}}]}}',
      '{"kind":"Pod","apiVersion":"v1","metadata":{},"spec":{"containers":[{"name":"c","resources":{"limits":{"cpu":"500m","memory":"1Gi"}}}]},"status":{}}',
    ],
    [
      'times are cut to seconds, in UTC',
      configMap,
      '{"metadata":{"creationTimestamp":"2026-01-02T03:04:05.678+02:00"}}',
      '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"creationTimestamp":"2026-01-02T01:04:05Z"}}',
    ],
    [
      'nulls are dropped',
      configMap,
      '{"metadata":{"name":"a","labels":null,"creationTimestamp":null},"data":{"k":null}}',
      '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a"},"data":{"k":""}}',
    ],
    [
      'custom resources keep what they have',
      widget,
      '{"spec":{"b":null,"a":[0,""]},"apiVersion":"ex.com/v1","metadata":{"name":"w"},"kind":"Widget"}',
      '{"kind":"Widget","apiVersion":"ex.com/v1","metadata":{"name":"w"},"spec":{"b":null,"a":[0,""]}}',
    ],
  ];
  for (const [name, kind, body, expected] of cases) it(name, () => assert.equal(json(body, kind), expected));

  it('__proto__ is a key like others', () => {
    const decoded = decode('{"data":{"__proto__":"x"},"__proto__":{"polluted":true}}');
    assert.deepEqual(decoded.warnings, ['unknown field "__proto__"']);
    assert.equal(JSON.stringify(decoded.object), '{"kind":"ConfigMap","apiVersion":"v1","metadata":{},"data":{"__proto__":"x"}}');
    assert.equal(({} as { polluted?: boolean }).polluted, undefined);
    assert.equal(Object.getPrototypeOf(decoded.object), Object.prototype);
  });

  it('YAML 1.1 is read as kubectl reads it', () => {
    const decoded = decode('data: {a: "yes", 5: "x", at: 2001-01-01T00:00:00Z}\nimmutable: yes\n', configMap, {
      contentType: 'application/yaml; charset=utf-8',
    });
    const object = decoded.object as unknown as { data: Record<string, string>; immutable: boolean };
    assert.deepEqual(object.data, { 5: 'x', a: 'yes', at: '2001-01-01T00:00:00Z' });
    assert.equal(object.immutable, true);
  });
});

describe('hostile input', () => {
  const sample = JSON.stringify({
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name: 'a', labels: { a: 'b' }, creationTimestamp: '2026-01-02T03:04:05Z' },
    spec: { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80 }], resources: { limits: { cpu: '1' } } }] },
  });
  const contentTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

  const attempt = (bytes: Uint8Array, contentType: string): void => {
    try {
      decodeBody({ bytes, contentType, kind: pod, fieldValidation: 'Warn' });
    } catch (error) {
      assert.ok(error instanceof StatusError, String((error as Error).stack));
      assert.ok(error.code >= 400 && error.code < 500);
    }
  };

  it('random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...contentTypes), attempt), { numRuns: 1000 });
    const prefix = [0x6b, 0x38, 0x73, 0];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) =>
        attempt(Uint8Array.from([...prefix, 0x12, bytes.length, ...bytes]), contentTypes[2]!),
      ),
      { numRuns: 2000 },
    );
  });

  it('any JSON', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom('application/json', 'application/yaml'), (text, type) =>
        attempt(encoder.encode(text), type),
      ),
      { numRuns: 500 },
    );
  });

  it('truncated and changed JSON and YAML', () => {
    const bytes = encoder.encode(sample);
    for (let length = 0; length < bytes.length; length++) attempt(bytes.subarray(0, length), 'application/json');
    fc.assert(
      fc.property(
        fc.nat(bytes.length - 1),
        fc.nat(255),
        fc.constantFrom('application/json', 'application/yaml'),
        (at, byte, type) => {
          const changed = bytes.slice();
          changed[at] = byte;
          attempt(changed, type);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('any value in any place of a Pod', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.constantFrom('metadata', 'spec', 'status'),
        fc.constantFrom('name', 'containers', 'labels'),
        (value, a, b) => {
          attempt(encoder.encode(JSON.stringify({ [a]: { [b]: value } })), 'application/json');
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('a bomb of YAML aliases', () => {
    const lines = ['a0: &a0 [x,x,x,x,x,x,x,x,x,x]'];
    for (let i = 1; i < 12; i++)
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(',')}]`,
      );
    const error = refusal(() => decode(lines.join('\n'), configMap, { contentType: 'application/yaml' }));
    assert.equal(error.code, 400);
  });
});
