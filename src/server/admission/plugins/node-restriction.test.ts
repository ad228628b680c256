import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { admissionBench, refuses, shopPod } from '../../../../test/support/admission-bench.ts';
import type { Sketch } from '../../../../test/support/fake-reader.ts';
import { CertificateSigningRequest } from '../../../api/kinds/certificates/certificate-signing-request.ts';
import { Node } from '../../../api/kinds/core/node.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { ServiceAccount } from '../../../api/kinds/core/service-account.ts';
import { CSIDriver } from '../../../api/kinds/storage/csi-driver.ts';
import { createRequest } from '../../../pki/csr.ts';
import { generatePrivateKey } from '../../../pki/keys.ts';
import type { UserInfo } from '../../auth/user.ts';

const piNode: UserInfo = { name: 'system:node:pi', groups: ['system:nodes', 'system:authenticated'], extra: {} };

describe('what nodes may write', () => {
  const nodeObject = (labels: Record<string, string> = {}, spec: object = {}) => ({ metadata: { name: 'pi', labels }, spec });
  const asNode = { user: piNode };

  test('a new node is tainted until it is ready', async () => {
    const { admit } = admissionBench();
    const made = await admit(Node, nodeObject({ 'kubernetes.io/hostname': 'pi', 'skiff.dev/model': 'pi5' }), asNode);
    assert.deepEqual(made.spec.taints, [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }]);
  });

  test('only itself, without taints and reserved labels', async () => {
    const { admit } = admissionBench();
    const other = { metadata: { name: 'zero' } };
    await refuses(admit(Node, other, { ...asNode, old: other }), /node "pi" is not allowed to modify node "zero"/);
    const tainted = nodeObject({}, { taints: [{ key: 'a', effect: 'NoSchedule' }] });
    await refuses(admit(Node, nodeObject(), { ...asNode, old: tainted }), /node "pi" is not allowed to modify taints/);
    const configured = nodeObject({}, { configSource: { configMap: { namespace: 'a', name: 'b', kubeletConfigKey: 'c' } } });
    await refuses(admit(Node, configured, { ...asNode, old: nodeObject() }), /not allowed to update configSource/);
    await refuses(admit(Node, configured, asNode), /with a non-nil configSource/);
    await refuses(
      admit(Node, nodeObject({ 'node-role.kubernetes.io/x': '' }), { ...asNode, old: nodeObject() }),
      'nodes "pi" is forbidden: is not allowed to modify labels: node-role.kubernetes.io/x',
    );
    await refuses(admit(Node, nodeObject({ 'a.node-restriction.kubernetes.io/b': '' }), asNode), /set the following labels/);
    await admit(Node, nodeObject({ 'node.kubernetes.io/instance-type': 'pi', 'acme.com/rack': '1' }), {
      ...asNode,
      old: nodeObject(),
    });
  });

  test('pods bound to it, tokens for them, nothing more', async () => {
    const { reader, admit } = admissionBench();
    const bound = reader.put(Pod, shopPod({ nodeName: 'pi' }) as unknown as Sketch<Pod>);
    const elsewhere = reader.put(Pod, shopPod({ nodeName: 'zero' }, { name: 'far' }) as unknown as Sketch<Pod>);
    await admit(Pod, bound, { ...asNode, old: bound, subresource: 'status' });
    await refuses(
      admit(Pod, elsewhere, { ...asNode, old: elsewhere, subresource: 'status' }),
      /can only update pod status for pods with spec.nodeName set to itself/,
    );
    await refuses(
      admit(Pod, undefined, { ...asNode, operation: 'DELETE', old: elsewhere }),
      /can only delete pods with spec.nodeName set to itself/,
    );
    const evict = { metadata: { name: 'far', namespace: 'shop' } };
    await refuses(
      admit(Pod, evict, { ...asNode, old: elsewhere, subresource: 'eviction' }),
      'pods "far" is forbidden: node pi can only evict pods with spec.nodeName set to itself',
    );
    const missing = { ...evict, metadata: { name: 'gone', namespace: 'shop' } };
    await refuses(admit(Pod, missing, { ...asNode, subresource: 'eviction' }), 'pod "gone" not found', 404);
    const stranger = { name: 'bob', groups: ['system:nodes'], extra: {} };
    await admit(Pod, elsewhere, { user: stranger, old: elsewhere, subresource: 'status' });
    await refuses(admit(Pod, shopPod(), asNode), /can only create mirror pods/);
    const token = (of: Pod) => ({
      metadata: { name: 'default', namespace: 'shop' },
      spec: { audiences: [], boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: of.metadata.name, uid: of.metadata.uid } },
    });
    const request = { ...asNode, subresource: 'token' };
    await refuses(admit(ServiceAccount, token(elsewhere), request), /token bound to a pod scheduled on a different node/);
    await refuses(admit(ServiceAccount, { ...token(bound), spec: {} }, request), /token not bound to a pod/);
    const { uid: _, ...unnamed } = token(bound).spec.boundObjectRef;
    await refuses(admit(ServiceAccount, { ...token(bound), spec: { boundObjectRef: unnamed } }, request), /without a uid/);
    await refuses(admit(ServiceAccount, token(bound), request), /audience "" not found in pod spec volume/);
    const projected = { sources: [{ serviceAccountToken: { path: 'token' } }] };
    const mounting = reader.put(
      Pod,
      shopPod({ nodeName: 'pi', volumes: [{ name: 'v', projected }] }, { name: 'mounts' }) as unknown as Sketch<Pod>,
    );
    await admit(ServiceAccount, token(mounting), request);
    const forVault = { ...token(mounting), spec: { ...token(mounting).spec, audiences: ['vault'] } };
    await refuses(admit(ServiceAccount, forVault, request), /audience "vault" not found in pod spec volume/);
    const csi = reader.put(
      Pod,
      shopPod(
        { nodeName: 'pi', volumes: [{ name: 'v', csi: { driver: 'vault.csi' } }] },
        { name: 'csi' },
      ) as unknown as Sketch<Pod>,
    );
    const forDriver = { ...token(csi), spec: { ...token(csi).spec, audiences: ['vault'] } };
    await refuses(admit(ServiceAccount, forDriver, request), /audience "vault" not found/);
    reader.put(CSIDriver, { metadata: { name: 'vault.csi' }, spec: { tokenRequests: [{ audience: 'vault' }] } });
    await admit(ServiceAccount, forDriver, request);
  });

  test('certificates in its own name', async () => {
    const { admit } = admissionBench();
    const csr = (commonName: string) => ({
      metadata: { name: 'r' },
      spec: {
        signerName: 'kubernetes.io/kubelet-serving',
        request: Buffer.from(
          createRequest({ subject: { commonName, organizations: ['system:nodes'] }, privateKey: generatePrivateKey() }),
        ).toString('base64'),
      },
    });
    await admit(CertificateSigningRequest, csr('system:node:pi'), asNode);
    await refuses(
      admit(CertificateSigningRequest, csr('system:node:zero'), asNode),
      /can only create a node CSR with CN=system:node:pi/,
    );
  });
});
