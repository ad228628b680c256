import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { builtinKinds } from '../kinds/index.ts';
import { apiVersionOf } from '../meta.ts';
import { hasSchema, schemaNames, schemaOf, typeOfKind } from './schema.ts';
import type { TypeSchema } from './type-schema.ts';

const field = (type: string, name: string) => schemaOf(type).fields!.get(name)!;

describe('schema', () => {
  it('every type can be read', () => {
    const visit = (schema: TypeSchema, path: string): void => {
      assert.ok(schema?.type, path);
      if (schema.type === 'list' || schema.type === 'map') visit(schema.items!, `${path}[]`);
    };
    for (const name of schemaNames()) {
      assert.equal(schemaOf(name).name, name);
      for (const [key, { schema }] of schemaOf(name).fields!) visit(schema, `${name}.${key}`);
    }
    assert.throws(() => schemaOf('Nonsense'), /no type is named Nonsense/);
    assert.equal(hasSchema('constructor'), false);
  });

  it('every built-in kind has a type', () => {
    for (const kind of builtinKinds) assert.equal(typeOfKind(apiVersionOf(kind), kind.kind), kind.type);
    assert.equal(typeOfKind('v2', 'Pod'), undefined);
  });

  it('lists tell how they merge', () => {
    const containers = field('PodSpec', 'containers');
    assert.equal(containers.schema.listType, 'map');
    assert.deepEqual(containers.schema.listMapKeys, ['name']);
    assert.deepEqual(containers.patchStrategy, ['merge']);
    assert.equal(containers.patchMergeKey, 'name');
    assert.equal(containers.schema.items, schemaOf('Container'));
    assert.deepEqual(field('Container', 'ports').schema.listMapKeys, ['containerPort', 'protocol']);
    assert.equal(field('ObjectMeta', 'finalizers').schema.listType, 'set');
    assert.equal(field('Container', 'args').schema.listType, 'atomic');
    assert.deepEqual(field('PodSpec', 'volumes').patchStrategy, ['merge', 'retainKeys']);
  });

  it('structs and maps tell whether they are atomic', () => {
    assert.equal(schemaOf('LabelSelector').atomic, true);
    assert.equal(schemaOf('PodSpec').atomic, false);
    assert.equal(field('ServiceSpec', 'selector').schema.atomic, true);
    assert.equal(field('ObjectMeta', 'labels').schema.atomic, false);
    assert.equal(field('PersistentVolumeSpec', 'claimRef').schema.atomic, false);
    assert.equal(field('Event', 'involvedObject').schema.atomic, true);
  });

  it('scalars are told apart', () => {
    const type = (name: string, key: string) => field(name, key).schema.type;
    assert.equal(type('ObjectMeta', 'creationTimestamp'), 'time');
    assert.equal(type('LeaseSpec', 'renewTime'), 'microTime');
    assert.equal(type('ServicePort', 'targetPort'), 'intOrString');
    assert.equal(type('ServicePort', 'port'), 'int32');
    assert.equal(type('ObjectMeta', 'generation'), 'int64');
    assert.equal(type('ManagedFieldsEntry', 'fieldsV1'), 'any');
    assert.equal(field('Secret', 'data').schema.items!.type, 'bytes');
    assert.equal(field('ResourceRequirements', 'limits').schema.items!.type, 'quantity');
  });

  it('zero values are treated as Go treats them', () => {
    assert.equal(field('DeploymentSpec', 'replicas').zero, 'keep');
    assert.equal(field('PodSpec', 'hostNetwork').zero, 'omit');
    assert.equal(field('Pod', 'spec').zero, 'fill');
    assert.equal(field('Container', 'name').zero, 'fill');
    assert.equal(field('PodSpec', 'securityContext').zero, 'keep');
  });
});
