import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { FakeReader, type Sketch } from '../../../test/support/fake-reader.ts';
import { PersistentVolume } from '../../api/kinds/core/persistent-volume.ts';
import { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts';
import { Pod } from '../../api/kinds/core/pod.ts';
import { ClusterRole } from '../../api/kinds/rbac/cluster-role.ts';
import { ClusterRoleBinding } from '../../api/kinds/rbac/cluster-role-binding.ts';
import { Role } from '../../api/kinds/rbac/role.ts';
import { RoleBinding } from '../../api/kinds/rbac/role-binding.ts';
import { ResourceSlice } from '../../api/kinds/resource/resource-slice.ts';
import type { KubeObject } from '../../api/meta.ts';
import { parseFieldSelector } from '../../api/selectors/field-selector.ts';
import { type Authorization, createAuthorization } from './authorization.ts';
import type { Attributes } from './authorizer.ts';
import { bootstrapRbac } from './bootstrap/bootstrap-rbac.ts';
import { repaired } from './bootstrap/ensure-bootstrap-rbac.ts';
import { forbiddenRequest } from './forbidden.ts';
import { escalationMessage, fullAuthority, missingRights } from './rbac/escalation.ts';
import { anonymous, type UserInfo } from './user.ts';

const user = (name: string, ...groups: string[]): UserInfo => ({ name, groups: [...groups, 'system:authenticated'], extra: {} });
const node = user('system:node:pi', 'system:nodes');

function loadBootstrap(reader: FakeReader): void {
  const kinds = { ClusterRole, ClusterRoleBinding, Role, RoleBinding };
  for (const object of bootstrapRbac())
    reader.put(kinds[object.kind as keyof typeof kinds] as typeof ClusterRole, object as unknown as Sketch<ClusterRole>);
}

describe('authorization', () => {
  let reader = new FakeReader();
  let authorization: Authorization;
  const may = (who: UserInfo, verb: string, resource: string, more: Partial<Attributes> = {}): boolean => {
    const [name = '', subresource = ''] = resource.split('/');
    const attributes = { user: who, verb, path: '', group: '', version: 'v1', resource: name, subresource, ...more };
    return authorization.authorize(attributes).verdict === 'allow';
  };
  const mayPath = (who: UserInfo, path: string): boolean =>
    authorization.authorize({ user: who, verb: 'get', path }).verdict === 'allow';

  beforeEach(() => {
    reader = new FakeReader();
    authorization = createAuthorization({ reader });
    loadBootstrap(reader);
  });

  const bind = (
    name: string,
    subject: { kind: string; name: string; namespace?: string },
    role: string,
    namespace?: string,
  ): void => {
    const body = { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role }, subjects: [subject] };
    if (namespace) reader.put(RoleBinding, { metadata: { name, namespace }, ...body });
    else reader.put(ClusterRoleBinding, { metadata: { name }, ...body });
  };

  test('masters may do everything, others nothing', () => {
    assert.ok(may(user('x', 'system:masters'), 'delete', 'nodes'));
    assert.ok(!may(user('x'), 'get', 'pods', { namespace: 'a' }));
    assert.ok(!may(anonymous, 'get', 'pods', { namespace: 'a' }));
  });

  test('everybody may look at versions and health, the authenticated at the API', () => {
    for (const path of ['/healthz', '/version', '/livez']) assert.ok(mayPath(anonymous, path), path);
    assert.ok(!mayPath(anonymous, '/api'));
    assert.ok(!mayPath(user('x'), '/metrics'));
    for (const path of ['/api', '/apis/apps/v1', '/openapi/v3']) assert.ok(mayPath(user('x'), path), path);
    assert.ok(mayPath(user('p', 'system:monitoring'), '/metrics'));
    assert.ok(mayPath(user('sa', 'system:serviceaccounts'), '/openid/v1/jwks'));
  });

  test('view, edit and admin in one namespace', () => {
    bind('v', { kind: 'User', name: 'ann' }, 'view', 'shop');
    bind('e', { kind: 'Group', name: 'devs' }, 'edit', 'shop');
    bind('a', { kind: 'ServiceAccount', name: 'ci' }, 'admin', 'shop');
    const ci = user('system:serviceaccount:shop:ci');
    assert.ok(may(user('ann'), 'list', 'pods', { namespace: 'shop' }));
    assert.ok(may(user('ann'), 'get', 'pods/log', { namespace: 'shop' }));
    assert.ok(!may(user('ann'), 'list', 'pods', { namespace: 'other' }));
    assert.ok(!may(user('ann'), 'list', 'pods'));
    assert.ok(!may(user('ann'), 'get', 'secrets', { namespace: 'shop' }));
    assert.ok(may(user('x', 'devs'), 'create', 'deployments', { group: 'apps', namespace: 'shop' }));
    assert.ok(may(user('x', 'devs'), 'get', 'secrets', { namespace: 'shop' }));
    assert.ok(!may(user('x', 'devs'), 'create', 'roles', { group: 'rbac.authorization.k8s.io', namespace: 'shop' }));
    assert.ok(may(ci, 'create', 'roles', { group: 'rbac.authorization.k8s.io', namespace: 'shop' }));
    assert.ok(!may(user('system:serviceaccount:other:ci'), 'get', 'pods', { namespace: 'shop' }));
  });

  test('roles that aggregate follow their parts at once', () => {
    bind('v', { kind: 'User', name: 'ann' }, 'view');
    const widgets = { group: 'acme.com', namespace: 'shop' };
    assert.ok(!may(user('ann'), 'get', 'widgets', widgets));
    reader.put(ClusterRole, {
      metadata: { name: 'widgets', labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } },
      rules: [{ verbs: ['get'], apiGroups: ['acme.com'], resources: ['widgets'] }],
    });
    assert.ok(may(user('ann'), 'get', 'widgets', widgets));
    bind('adm', { kind: 'User', name: 'zoe' }, 'admin');
    assert.ok(may(user('zoe'), 'get', 'widgets', widgets));
    reader.remove(ClusterRole, { name: 'widgets' });
    assert.ok(!may(user('ann'), 'get', 'widgets', widgets));
  });

  test('names, sub-resources, stars and paths in rules', () => {
    reader.put(ClusterRole, {
      metadata: { name: 'odd' },
      rules: [
        { verbs: ['get'], apiGroups: [''], resources: ['configmaps'], resourceNames: ['one'] },
        { verbs: ['update'], apiGroups: ['*'], resources: ['*/scale'] },
        { verbs: ['*'], apiGroups: ['batch'], resources: ['*'] },
        { verbs: ['get'], nonResourceURLs: ['/logs/*'] },
      ],
    });
    bind('odd', { kind: 'User', name: 'o' }, 'odd');
    const o = user('o');
    assert.ok(may(o, 'get', 'configmaps', { name: 'one', namespace: 'a' }));
    assert.ok(!may(o, 'get', 'configmaps', { name: 'two', namespace: 'a' }));
    assert.ok(!may(o, 'list', 'configmaps', { namespace: 'a' }));
    assert.ok(may(o, 'update', 'deployments/scale', { group: 'apps' }));
    assert.ok(!may(o, 'update', 'deployments', { group: 'apps' }));
    assert.ok(may(o, 'delete', 'jobs/status', { group: 'batch' }));
    assert.ok(mayPath(o, '/logs/kern'));
    assert.ok(!mayPath(o, '/logs'));
  });

  test('a binding to a role that is not there says so', () => {
    bind('gone', { kind: 'User', name: 'g' }, 'gone');
    const { verdict, reason } = authorization.authorize({ user: user('g'), verb: 'get', path: '', resource: 'pods', group: '' });
    assert.equal(verdict, 'noOpinion');
    assert.match(reason, /RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found/);
  });

  test('a node reaches only what its pods use', () => {
    const read = (resource: string, name: string, namespace = 'shop'): boolean => may(node, 'get', resource, { namespace, name });
    assert.ok(!read('secrets', 'tls'));
    reader.put(PersistentVolumeClaim, { metadata: { name: 'data', namespace: 'shop' }, spec: { volumeName: 'pv1' } });
    reader.put(PersistentVolume, {
      metadata: { name: 'pv1' },
      spec: { csi: { driver: 'd', volumeHandle: 'h', nodeStageSecretRef: { name: 'csi', namespace: 'storage' } } },
    });
    const pod = reader.put(Pod, {
      metadata: { name: 'web', namespace: 'shop' },
      spec: {
        nodeName: 'pi',
        serviceAccountName: 'web',
        imagePullSecrets: [{ name: 'registry' }],
        containers: [
          {
            name: 'c',
            env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'env', key: 'k' } } }],
            envFrom: [{ configMapRef: { name: 'cfg' } }],
          },
        ],
        volumes: [
          { name: 'v', secret: { secretName: 'tls' } },
          { name: 'p', projected: { sources: [{ configMap: { name: 'kube-root-ca.crt' } }] } },
          { name: 'd', persistentVolumeClaim: { claimName: 'data' } },
        ],
      },
    });
    for (const secret of ['tls', 'registry', 'env']) assert.ok(read('secrets', secret), secret);
    assert.ok(read('configmaps', 'cfg') && read('configmaps', 'kube-root-ca.crt') && read('persistentvolumeclaims', 'data'));
    assert.ok(may(node, 'get', 'persistentvolumes', { name: 'pv1' }));
    assert.ok(read('secrets', 'csi', 'storage'));
    assert.ok(may(node, 'create', 'serviceaccounts/token', { namespace: 'shop', name: 'web' }));
    assert.ok(may(node, 'watch', 'secrets', { namespace: 'shop', name: 'tls' }));
    assert.ok(!read('secrets', 'other') && !read('secrets', 'tls', 'bank'));
    assert.ok(!may(node, 'list', 'secrets', { namespace: 'shop' }));
    assert.ok(!may(user('system:node:zero', 'system:nodes'), 'get', 'secrets', { namespace: 'shop', name: 'tls' }));
    assert.ok(!may(user('system:node:pi'), 'get', 'secrets', { namespace: 'shop', name: 'tls' }));
    reader.remove(Pod, { namespace: 'shop', name: pod.metadata.name });
    assert.ok(!read('secrets', 'tls'));
  });

  test('a node and the API objects of nodes', () => {
    assert.ok(
      may(node, 'create', 'nodes') &&
        may(node, 'patch', 'nodes/status', { name: 'pi' }) &&
        may(node, 'get', 'nodes', { name: 'pi' }),
    );
    assert.ok(!may(node, 'delete', 'nodes', { name: 'pi' }));
    const lease = { group: 'coordination.k8s.io', namespace: 'kube-node-lease' };
    assert.ok(
      may(node, 'update', 'leases', { ...lease, name: 'pi' }) && !may(node, 'update', 'leases', { ...lease, name: 'other' }),
    );
    assert.ok(may(node, 'list', 'pods', { fieldSelector: parseFieldSelector('spec.nodeName=pi') }));
    assert.ok(may(node, 'create', 'certificatesigningrequests', { group: 'certificates.k8s.io' }));
    assert.ok(may(node, 'watch', 'endpointslices', { group: 'discovery.k8s.io' }));
    assert.ok(!may(node, 'create', 'deployments', { group: 'apps', namespace: 'a' }));
    assert.ok(may(node, 'list', 'nodes'), 'for the routes to their pods, by the role system:skiff:node-network');
    reader.remove(ClusterRoleBinding, { name: 'system:skiff:node-network' });
    assert.ok(may(node, 'get', 'nodes', { name: 'pi' }) && !may(node, 'get', 'nodes', { name: 'zero' }));
    assert.ok(!may(node, 'list', 'nodes'));
  });

  test('a node and the devices it offers', () => {
    const slices = (verb: string, more: Partial<Attributes>): boolean =>
      may(node, verb, 'resourceslices', { group: 'resource.k8s.io', ...more });
    for (const [name, nodeName] of [
      ['own', 'pi'],
      ['strange', 'zero'],
    ] as const)
      reader.put(ResourceSlice, {
        metadata: { name },
        spec: { driver: 'd', nodeName, pool: { name: 'p', generation: 1, resourceSliceCount: 1 } },
      });
    assert.ok(slices('create', {}) && slices('update', { name: 'own' }) && slices('delete', { name: 'own' }));
    assert.ok(!slices('get', { name: 'strange' }) && !slices('delete', { name: 'strange' }));
    assert.ok(slices('list', { fieldSelector: parseFieldSelector('spec.driver=d,spec.nodeName=pi') }));
    assert.ok(!slices('list', {}) && !slices('list', { fieldSelector: parseFieldSelector('spec.nodeName!=pi') }));
  });

  test('joining machines may ask for a certificate and nothing else', () => {
    const joining = user('system:bootstrap:agent', 'system:bootstrappers', 'system:bootstrappers:skiff:default-node-token');
    const certificates = { group: 'certificates.k8s.io' };
    assert.ok(may(joining, 'create', 'certificatesigningrequests', certificates));
    assert.ok(may(joining, 'create', 'certificatesigningrequests/nodeclient', certificates));
    assert.ok(!may(joining, 'create', 'certificatesigningrequests/selfnodeclient', certificates));
    assert.ok(!may(joining, 'list', 'nodes') && !may(joining, 'list', 'pods'));
  });

  test('rights a user does not hold are named', () => {
    const held = [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }];
    const wanted = [{ verbs: ['get', 'delete', 'create'], apiGroups: [''], resources: ['pods'] }];
    assert.deepEqual(missingRights(held, held), []);
    assert.deepEqual(missingRights(fullAuthority, wanted), []);
    assert.equal(missingRights(held, fullAuthority).length, 2);
    assert.equal(
      escalationMessage(user('eve'), missingRights(held, wanted)),
      'user "eve" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["delete" "create"]}',
    );
    const twice = [{ verbs: ['create', 'create'], apiGroups: [''], resources: ['pods'] }];
    const urls = [{ verbs: ['get', 'post'], nonResourceURLs: ['/x'] }];
    assert.equal(
      escalationMessage(user('eve'), missingRights(held, [...twice, ...urls]), ['roles "gone" not found']).split(':\n')[1],
      '{APIGroups:[""], Resources:["pods"], Verbs:["create" "create"]}\n{NonResourceURLs:["/x"], Verbs:["get"]}\n{NonResourceURLs:["/x"], Verbs:["post"]}; resolution errors: [roles "gone" not found]',
    );
  });

  test('default roles get back what was taken, and keep what was added', () => {
    const wanted = bootstrapRbac().find(
      (o) => o.metadata.name === 'system:basic-user' && o.kind === 'ClusterRole',
    ) as ClusterRole;
    assert.equal(repaired(wanted, wanted), undefined);
    const own = { verbs: ['get'], apiGroups: ['acme.com'], resources: ['widgets'] };
    const changed = { ...wanted, rules: [own] } as unknown as KubeObject & { rules: (typeof own)[] };
    const fixed = repaired(changed, wanted);
    assert.deepEqual(fixed?.rules?.[0], own);
    assert.deepEqual(missingRights(fixed?.rules ?? [], wanted.rules ?? []), []);
    const off = {
      ...changed,
      metadata: { ...wanted.metadata, annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' } },
    };
    assert.equal(repaired(off, wanted), undefined);
    const plain = { ...changed, metadata: { ...wanted.metadata, annotations: { own: 'yes' } } };
    assert.deepEqual(repaired(plain, wanted)?.metadata.annotations, { ...wanted.metadata.annotations, own: 'yes' });
    const collecting = bootstrapRbac().find((o) => o.metadata.name === 'edit') as ClusterRole;
    const other = { clusterRoleSelectors: [{ matchLabels: { own: 'yes' } }] };
    assert.deepEqual(repaired({ ...collecting, rules: [], aggregationRule: other }, collecting)?.aggregationRule, {
      clusterRoleSelectors: [...other.clusterRoleSelectors, ...(collecting.aggregationRule?.clusterRoleSelectors ?? [])],
    });
  });

  test('a role that is missing is told once, however many bindings name it', () => {
    for (const name of ['a', 'b']) bind(name, { kind: 'User', name: 'eve' }, 'gone');
    const { reason } = authorization.authorize({ user: user('eve'), verb: 'get', path: '', group: '', resource: 'pods' });
    assert.equal(reason, 'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found');
  });

  test('the text of a refusal', () => {
    const row = (more: Partial<Attributes>): string =>
      forbiddenRequest({ user: user('bob'), verb: 'list', path: '/x', ...more }).message;
    assert.equal(
      row({ resource: 'pods', namespace: 'default' }),
      'pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the namespace "default"',
    );
    assert.equal(
      row({ verb: 'get', resource: 'deployments', subresource: 'scale', group: 'apps', name: 'd' }),
      'deployments.apps "d" is forbidden: User "bob" cannot get resource "deployments/scale" in API group "apps" at the cluster scope',
    );
    assert.equal(row({ verb: 'get' }), 'forbidden: User "bob" cannot get path "/x"');
  });
});
