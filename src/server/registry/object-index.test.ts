import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { builtinKinds } from '../../api/kinds/index.ts';
import type { KubeObject } from '../../api/meta.ts';
import { KindTable } from './kind-table.ts';
import { ObjectIndexer } from './object-index.ts';
import { leaveOwnersInBytes } from './owners-in-bytes.ts';
import { decodeStored, deepFreeze, encodeStored } from './stored-form.ts';

const owned = {
  kind: 'ConfigMap',
  apiVersion: 'v1',
  metadata: {
    name: 'm',
    namespace: 'default',
    labels: { a: 'b' },
    managedFields: [{ manager: 'kubectl', operation: 'Update', fieldsType: 'FieldsV1', fieldsV1: { 'f:data': {} } }],
  },
  data: { x: 'y' },
} as unknown as KubeObject;

describe('the index', () => {
  it('uses what was written once, and does not keep it as long as its bytes', () => {
    const indexer = new ObjectIndexer(new KindTable(builtinKinds));
    const value = encodeStored(owned);
    indexer.announce(value, owned);
    const key = '/registry/configmaps/default/m';
    assert.equal(indexer.index(key, value).written, owned);
    const again = indexer.index(key, value);
    assert.equal(again.written, undefined);
    assert.deepEqual(again.labels, { a: 'b' });
  });
});

describe('shared objects', () => {
  it('show managedFields like any other field, without holding them', () => {
    const value = encodeStored(owned);
    const object = decodeStored(value, 7);
    leaveOwnersInBytes(object, value);
    deepFreeze(object);
    assert.equal(typeof Object.getOwnPropertyDescriptor(object.metadata, 'managedFields')?.get, 'function');
    assert.deepEqual(JSON.parse(JSON.stringify(object)), {
      ...owned,
      metadata: { ...owned.metadata, resourceVersion: '7' },
    });
    assert.deepEqual(structuredClone(object).metadata.managedFields, owned.metadata.managedFields);
    assert.deepEqual({ ...object.metadata }.managedFields, owned.metadata.managedFields);
    assert.ok(Object.isFrozen(object.metadata) && Object.isFrozen(object.metadata.labels));
  });

  it('without managedFields stay as they are', () => {
    const { managedFields: _, ...metadata } = owned.metadata;
    const object = { ...owned, metadata };
    leaveOwnersInBytes(object, encodeStored(object));
    assert.equal(object.metadata, metadata);
  });
});
