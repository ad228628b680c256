import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Json } from './support/api.ts';
import { certificateRequest, selfSigned } from './support/certificates.ts';
import { assertNewer, assertVersion, controlPlane, refused } from './support/control-plane.ts';

const plane = controlPlane();
const signerName = 'example.com/test';
const ofSigner = { fieldSelector: `spec.signerName=${signerName}` };

it('[sig-auth] Certificates API [Privileged:ClusterAdmin] should support CSR API operations [Conformance]', async () => {
  const requests = plane.api.resource('certificates.k8s.io/v1/certificatesigningrequests');
  const { resources } = await plane.api.get('/apis/certificates.k8s.io/v1');
  const plural = 'certificatesigningrequests';
  for (const name of [plural, `${plural}/approval`, `${plural}/status`])
    assert.ok(
      resources.some((each: Json) => each.name === name),
      name,
    );

  const spec = {
    request: certificateRequest,
    signerName,
    expirationSeconds: 3600,
    usages: ['digital signature', 'key encipherment', 'server auth'],
  };
  for (let n = 0; n < 2; n++) await requests.create({ metadata: { generateName: 'test-' }, spec });
  const created = await requests.create({ metadata: { generateName: 'test-' }, spec });
  const { name, uid } = created.metadata;
  const got = await requests.get(name);
  assert.deepEqual([got.metadata.uid, got.spec.expirationSeconds], [uid, 3600]);
  assertVersion(got);
  const listed = await requests.list(ofSigner);
  assert.equal(listed.items.length, 3);
  const { resourceVersion } = listed.metadata;
  const watch = await requests.watch({ resourceVersion, fieldSelector: `metadata.name=${name}` });

  const patched = await requests.patch(name, { metadata: { annotations: { patched: 'true' } } });
  assertNewer(patched, got);
  const updated = await requests.update({ ...patched, metadata: { ...patched.metadata, annotations: { updated: 'true' } } });
  assert.deepEqual(updated.metadata.annotations, { updated: 'true' });
  await watch.expect('MODIFIED', patched);
  await watch.expect('MODIFIED', updated);
  watch.stop();

  const condition = (type: string): Json => ({ type, status: 'True', reason: 'Test', message: 'set by a test' });
  const typesOf = (request: Json): string[] => request.status.conditions.map((each: Json) => each.type);
  for (const subresource of ['approval', 'status']) {
    const read = await requests.get(name, subresource);
    assert.deepEqual(
      [read.kind, read.apiVersion, read.metadata.uid],
      ['CertificateSigningRequest', 'certificates.k8s.io/v1', uid],
    );
  }
  const approvalPatch = {
    metadata: { annotations: { 'patched-approval': 'true' } },
    status: { conditions: [condition('Patched')] },
  };
  const approvalPatched = await requests.patch(name, approvalPatch, { subresource: 'approval' });
  assert.deepEqual(typesOf(approvalPatched), ['Patched']);
  assert.equal(approvalPatched.metadata.annotations['patched-approval'], 'true');
  const approved = await requests.change(name, ({ status }) => status.conditions.push(condition('Approved')), 'approval');
  assert.deepEqual(typesOf(approved), ['Patched', 'Approved']);

  const statusPatch = { metadata: { annotations: { 'patched-status': 'true' } }, status: { certificate: selfSigned } };
  const statusPatched = await requests.patch(name, statusPatch, { subresource: 'status' });
  assert.equal(statusPatched.status.certificate, selfSigned);
  assert.equal(statusPatched.metadata.annotations['patched-status'], 'true');
  const statusUpdated = await requests.change(name, ({ status }) => status.conditions.push(condition('Updated')), 'status');
  assert.deepEqual(typesOf(statusUpdated), ['Patched', 'Approved', 'Updated']);

  await requests.delete(name);
  await refused(requests.get(name), 404, 'NotFound');
  assert.equal((await requests.list(ofSigner)).items.length, 2);
  await requests.deleteCollection(ofSigner);
  assert.deepEqual((await requests.list(ofSigner)).items, []);
});
