import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import protobuf from 'protobufjs';
import { goModels } from '../../build/api/go-packages.ts';
import { goSource } from '../../build/api/go-source.ts';
import { readModels } from '../../build/api/models.ts';
import { roots, typeName } from '../../build/api/roots.ts';
import { renderWireFacts } from '../../build/api/wire-facts.ts';
import { decodeBody } from '../../src/api/codec/decode-body.ts';
import { encodeProtobuf } from '../../src/api/codec/encode-protobuf.ts';
import type { CustomResourceDefinition } from '../../src/api/generated/types.ts';

/** Upstream's own objects with every field set, in JSON and protobuf; and the declarations the committed table comes from. */
const source = goSource();
const skip = 'unavailable' in source ? `the Go packages cannot be had: ${source.unavailable}` : false;

describe('protobuf', { skip }, () => {
  const root = 'root' in source ? source.root : '';
  for (const [apiVersion, kind, model] of roots) {
    const name = fixtureName(apiVersion, kind);
    const json = join(root, 'api/testdata/HEAD', `${name}.json`);
    if (!existsSync(json)) continue;
    it(`${name} is read as its JSON is`, () => {
      const request = { kind: bodyKind(apiVersion, kind, model), fieldValidation: 'Strict' } as const;
      const fromJson = decodeBody({ ...request, bytes: readFileSync(json), contentType: 'application/json' });
      const bytes = readFileSync(json.replace(/json$/, 'pb'));
      const fromProtobuf = decodeBody({ ...request, bytes, contentType: 'application/vnd.kubernetes.protobuf' });
      assert.deepEqual(fromProtobuf.object, fromJson.object);
      const yaml = decodeBody({
        ...request,
        bytes: readFileSync(json.replace(/json$/, 'yaml')),
        contentType: 'application/yaml',
      });
      assert.deepEqual(yaml.object, fromJson.object);
      const encoded = encodeProtobuf(fromJson.object)!;
      const again = decodeBody({ ...request, bytes: encoded, contentType: 'application/vnd.kubernetes.protobuf' });
      assert.deepEqual(again.object, fromJson.object);
      // Decoding keeps everything but the order: the fixture has no zero values.
      assert.deepEqual(sorted(fromJson.object), sorted(JSON.parse(readFileSync(json, 'utf8'))));
    });
  }

  it('CustomResourceDefinitions keep their schema unions', () => {
    const proto = new protobuf.Root();
    proto.resolvePath = (_origin, target) => join(root, target.replace(/^k8s\.io\//, ''));
    proto.loadSync('k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1/generated.proto', { keepCase: true });
    const definition = proto.lookupType('k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition');
    const string = { type: 'string' };
    const schema = {
      type: 'object',
      properties: { spec: { type: 'array', items: { schema: string }, default: { raw: Buffer.from('{"a":[1]}') } } },
      additionalProperties: { allows: false },
      dependencies: { a: { property: ['b'] }, c: { schema: string } },
      enum: [{ raw: Buffer.from('"x"') }],
      minimum: 0.5,
    };
    const version = { name: 'v1', served: true, schema: { openAPIV3Schema: schema }, subresources: { status: {} } };
    const raw = definition.encode(
      definition.fromObject({ metadata: { name: 'w' }, spec: { group: 'ex.com', versions: [version] } }),
    );
    const envelope = proto.lookupType('k8s.io.apimachinery.pkg.runtime.Unknown');
    const identity = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' };
    const body = envelope.encode(envelope.fromObject({ typeMeta: identity, raw: raw.finish() })).finish();
    const { object } = decodeBody<CustomResourceDefinition>({
      bytes: Buffer.concat([Buffer.from('k8s\0'), body]),
      contentType: 'application/vnd.kubernetes.protobuf',
      kind: bodyKind(identity.apiVersion, identity.kind, 'V1CustomResourceDefinition'),
      fieldValidation: 'Strict',
    });
    const request = {
      kind: bodyKind(identity.apiVersion, identity.kind, 'V1CustomResourceDefinition'),
      fieldValidation: 'Strict',
    } as const;
    const encoded = encodeProtobuf(object)!;
    const again = decodeBody({ ...request, bytes: encoded, contentType: 'application/vnd.kubernetes.protobuf' });
    assert.deepEqual(again.object, object);
    const decoded = object.spec.versions[0]!;
    assert.deepEqual(decoded.subresources, { status: {} });
    assert.deepEqual(decoded.schema!.openAPIV3Schema, {
      type: 'object',
      minimum: 0.5,
      enum: ['x'],
      properties: { spec: { type: 'array', default: { a: [1] }, items: string } },
      additionalProperties: false,
      dependencies: { a: ['b'], c: string },
    });
  });

  it('the committed table is that of the declarations', () => {
    const models = readModels(roots.map(([, , model]) => model));
    assert.equal(readFileSync('src/api/generated/protobuf.ts', 'utf8'), renderWireFacts(goModels(root, models)));
  });
});

function fixtureName(apiVersion: string, kind: string): string {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['core', apiVersion];
  return `${group}.${version}.${kind}`;
}

function bodyKind(apiVersion: string, kind: string, model: string) {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  return { group: group!, version: version!, kind, type: typeName(model) };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
