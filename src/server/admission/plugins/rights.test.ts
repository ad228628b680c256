import { describe, test } from 'node:test';
import { admissionBench, refuses } from '../../../../test/support/admission-bench.ts';
import { CertificateSigningRequest } from '../../../api/kinds/certificates/certificate-signing-request.ts';
import { ClusterRole } from '../../../api/kinds/rbac/cluster-role.ts';
import { ClusterRoleBinding } from '../../../api/kinds/rbac/cluster-role-binding.ts';
import { Role } from '../../../api/kinds/rbac/role.ts';
import { RoleBinding } from '../../../api/kinds/rbac/role-binding.ts';
import { createRequest } from '../../../pki/csr.ts';
import { generatePrivateKey } from '../../../pki/keys.ts';
import type { UserInfo } from '../../auth/user.ts';

const bob: UserInfo = { name: 'bob', groups: ['system:authenticated'], extra: {} };

describe('admission of rights', () => {
  test('approving and signing need the signer; nobody gets a certificate of the masters', async () => {
    const { reader, admit } = admissionBench();
    const csr = (organization: string, status: object = {}) => ({
      metadata: { name: 'r' },
      spec: {
        signerName: 'kubernetes.io/kube-apiserver-client',
        request: Buffer.from(
          createRequest({ subject: { commonName: 'x', organizations: [organization] }, privateKey: generatePrivateKey() }),
        ).toString('base64'),
      },
      status,
    });
    await refuses(admit(CertificateSigningRequest, csr('system:masters')), /signer with system:masters group is not allowed/);
    await admit(CertificateSigningRequest, csr('dev'));
    const old = csr('dev');
    const signed = { ...old, status: { certificate: 'AAAA' } };
    await refuses(
      admit(CertificateSigningRequest, old, { old, subresource: 'approval', user: bob }),
      /user not permitted to approve requests with signerName/,
    );
    await refuses(
      admit(CertificateSigningRequest, signed, { old, subresource: 'status', user: bob }),
      /user not permitted to sign requests/,
    );
    const rules = [
      {
        verbs: ['approve', 'sign'],
        apiGroups: ['certificates.k8s.io'],
        resources: ['signers'],
        resourceNames: ['kubernetes.io/*'],
      },
    ];
    reader.put(ClusterRole, { metadata: { name: 's' }, rules });
    reader.put(ClusterRoleBinding, {
      metadata: { name: 's' },
      roleRef: { apiGroup: '', kind: 'ClusterRole', name: 's' },
      subjects: [{ kind: 'User', name: 'bob' }],
    });
    await admit(CertificateSigningRequest, old, { old, subresource: 'approval', user: bob });
    await admit(CertificateSigningRequest, signed, { old, subresource: 'status', user: bob });
  });

  test('nobody grants what they do not hold', async () => {
    const { reader, admit } = admissionBench();
    const held = [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }];
    reader.put(Role, { metadata: { name: 'own', namespace: 'shop' }, rules: held });
    const ref = (name: string, kind = 'Role') => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name });
    reader.put(RoleBinding, {
      metadata: { name: 'own', namespace: 'shop' },
      roleRef: ref('own'),
      subjects: [{ kind: 'User', name: 'bob' }],
    });
    reader.put(ClusterRole, { metadata: { name: 'big' }, rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] });
    const role = (rules: object[]) => ({ metadata: { name: 'r', namespace: 'shop' }, rules });
    const binding = (roleRef: object) => ({ metadata: { name: 'b', namespace: 'shop' }, roleRef, subjects: [] });
    const asBob = { user: bob };
    await admit(Role, role(held), asBob);
    await refuses(
      admit(Role, role([{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }]), asBob),
      'roles.rbac.authorization.k8s.io "r" is forbidden: user "bob" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n' +
        '{APIGroups:[""], Resources:["pods"], Verbs:["list"]}',
    );
    await admit(RoleBinding, binding(ref('own')), asBob);
    await refuses(
      admit(RoleBinding, binding(ref('big', 'ClusterRole')), asBob),
      /attempting to grant RBAC permissions not currently held/,
    );
    await refuses(
      admit(RoleBinding, binding(ref('none')), asBob),
      'rolebindings.rbac.authorization.k8s.io "none" not found',
      404,
    );
    await refuses(admit(RoleBinding, binding(ref('')), asBob), 'Name parameter required.', 400);
    await admit(RoleBinding, binding(ref('big', 'ClusterRole')));
    const everything = { ...role([{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]) };
    const annotated = { ...everything, metadata: { ...everything.metadata, annotations: { a: 'b' } } };
    await refuses(admit(Role, annotated, { ...asBob, old: everything }), /attempting to grant RBAC permissions/);
    const collected = { ...everything, metadata: { ...everything.metadata, finalizers: ['a/b'] } };
    await admit(Role, collected, { ...asBob, old: everything });
    const aggregating = { metadata: { name: 'a' }, aggregationRule: { clusterRoleSelectors: [{}] } };
    await refuses(admit(ClusterRole, aggregating, asBob), /must have cluster-admin privileges to use the aggregationRule/);
    reader.put(ClusterRole, {
      metadata: { name: 'binder' },
      rules: [
        { verbs: ['bind'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'], resourceNames: ['big'] },
        { verbs: ['escalate'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles'] },
      ],
    });
    reader.put(ClusterRoleBinding, {
      metadata: { name: 'x' },
      roleRef: ref('binder', 'ClusterRole'),
      subjects: [{ kind: 'User', name: 'bob' }],
    });
    await admit(RoleBinding, binding(ref('big', 'ClusterRole')), asBob);
    await admit(Role, role([{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]), asBob);
  });
});
