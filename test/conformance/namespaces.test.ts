import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import type { Json } from './support/api.ts';
import { assertNewer, controlPlane, exists, gone, refused } from './support/control-plane.ts';

const plane = controlPlane(async () => {
  await plane.addNode('node');
});
const namespaces = () => plane.api.resource('v1/namespaces');
const finalizer = 'example.com/finalizer';

it('[sig-api-machinery] Namespaces [Serial] should patch a Namespace [Conformance]', async () => {
  const name = await plane.newNamespace();
  const before = await namespaces().get(name);
  const patched = await namespaces().patch(name, { metadata: { labels: { test: 'patched' } } }, { type: 'strategic' });
  assertNewer(patched, before);
  const { labels } = (await namespaces().get(name)).metadata;
  assert.deepEqual(labels, { ...before.metadata.labels, test: 'patched' });
});

it('[sig-api-machinery] Namespaces [Serial] should apply an update to a Namespace [Conformance]', async () => {
  const name = await plane.newNamespace();
  const updated = await namespaces().change(name, ({ metadata }) => {
    metadata.labels.test = 'updated';
  });
  assert.deepEqual(updated.metadata.labels, { 'kubernetes.io/metadata.name': name, test: 'updated' });
});

it('[sig-api-machinery] Namespaces [Serial] should apply changes to a namespace status [Conformance]', async () => {
  const name = await plane.newNamespace();
  const { status } = await namespaces().get(name, 'status');
  assert.equal(status.phase, 'Active');
  const condition = { type: 'Patched', status: 'True', reason: 'Test', message: 'patched by a test' };
  const patch = { metadata: { annotations: { 'patched-status': name } }, status: { conditions: [condition] } };
  const patched = await namespaces().patch(name, patch, { subresource: 'status' });
  assert.equal(patched.metadata.annotations['patched-status'], name);
  assert.deepEqual(patched.status, { phase: 'Active', conditions: [condition] });

  const another = { type: 'Updated', status: 'True', reason: 'Test', message: 'updated by a test' };
  const updated = await namespaces().change(name, (namespace) => namespace.status.conditions.push(another), 'status');
  assert.deepEqual(updated.status.conditions, [condition, another]);
});

it('[sig-api-machinery] Namespaces [Serial] should apply a finalizer to a Namespace [Conformance]', async () => {
  const name = await plane.newNamespace();
  const finalizersOf = ({ spec }: Json): string[] => spec.finalizers;
  // Only a PUT finalizes; what is read is the namespace itself.
  await refused(namespaces().get(name, 'finalize'), 405, 'MethodNotAllowed');
  const held = await putFinalizers(name, ['kubernetes', finalizer]);
  assert.deepEqual(finalizersOf(held), ['kubernetes', finalizer]);

  await namespaces().delete(name);
  await eventually(
    `${name} waits for ${finalizer} alone`,
    async () => finalizersOf(await namespaces().get(name)).join() === finalizer,
  );
  const { status } = await namespaces().get(name);
  assert.equal(status.phase, 'Terminating');
  await putFinalizers(name, []);
  await gone(namespaces(), name);
});

function putFinalizers(name: string, finalizers: readonly string[]): Promise<Json> {
  const edit = (namespace: Json): void => {
    namespace.spec.finalizers = finalizers;
  };
  return namespaces().change(name, edit, 'finalize');
}

it('[sig-api-machinery] Namespaces [Serial] should ensure that all services are removed when a namespace is deleted [Conformance]', async () => {
  const services = await plane.inNewNamespace('v1/services');
  const name = services.namespace!;
  await services.create({ metadata: { name: 'web' }, spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } });
  await namespaces().delete(name);
  await gone(namespaces(), name);
  await namespaces().create({ metadata: { name } });
  assert.equal(await exists(services, 'web'), false);
});

const pod = (metadata: Json): Json => ({ metadata, spec: { containers: [{ name: 'app', image: 'registry.invalid/app:1' }] } });

it('[sig-api-machinery] Namespaces [Serial] should ensure that all pods are removed when a namespace is deleted [Conformance]', async () => {
  const pods = await plane.inNewNamespace('v1/pods');
  const name = pods.namespace!;
  await pods.create(pod({ name: 'a' }));
  await eventually('the pod runs', async () => (await pods.get('a')).status.phase === 'Running');
  await namespaces().delete(name);
  await gone(namespaces(), name);
  await namespaces().create({ metadata: { name } });
  assert.equal(await exists(pods, 'a'), false);
});

it('[sig-api-machinery] OrderedNamespaceDeletion namespace deletion should delete pod first [Conformance]', async () => {
  const pods = await plane.inNewNamespace('v1/pods');
  const name = pods.namespace!;
  const maps = plane.api.resource('v1/configmaps', name);
  await pods.create(pod({ name: 'a', finalizers: [finalizer] }));
  await eventually('the pod runs', async () => (await pods.get('a')).status.phase === 'Running');
  await maps.create({ metadata: { name: 'later' } });
  await namespaces().delete(name);
  await eventually('the namespace says what it waits for', async () => {
    const { status } = await namespaces().get(name);
    assert.equal(status.phase, 'Terminating');
    return status.conditions.some((each: Json) => each.type === 'NamespaceDeletionContentFailure');
  });
  assert.ok((await pods.get('a')).metadata.deletionTimestamp);
  assert.equal((await maps.get('later')).metadata.deletionTimestamp, undefined);
  await pods.patch('a', { metadata: { finalizers: null } });
  await gone(namespaces(), name);
});
