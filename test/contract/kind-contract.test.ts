import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { goSource } from '../../build/api/go-source.ts';
import { groupResource, type Kind, type WriteContext } from '../../src/api/kind.ts';
import { builtinKinds } from '../../src/api/kinds/index.ts';
import { type AnyObject, apiVersionOf, type KubeObject } from '../../src/api/meta.ts';
import { columnDefinitions, tableRow } from '../../src/api/table/table.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from '../../src/api/validation/object-meta.ts';

/** The GA resources of Kubernetes 1.36 in the order of discovery. */
const resources = `
bindings componentstatuses configmaps endpoints events limitranges namespaces nodes persistentvolumeclaims persistentvolumes pods podtemplates
replicationcontrollers resourcequotas secrets serviceaccounts services
apiservices.apiregistration.k8s.io
controllerrevisions.apps daemonsets.apps deployments.apps replicasets.apps statefulsets.apps
events.events.k8s.io
selfsubjectreviews.authentication.k8s.io tokenreviews.authentication.k8s.io
localsubjectaccessreviews.authorization.k8s.io selfsubjectaccessreviews.authorization.k8s.io selfsubjectrulesreviews.authorization.k8s.io
subjectaccessreviews.authorization.k8s.io
horizontalpodautoscalers.autoscaling horizontalpodautoscalers.autoscaling
cronjobs.batch jobs.batch
certificatesigningrequests.certificates.k8s.io
ingressclasses.networking.k8s.io ingresses.networking.k8s.io ipaddresses.networking.k8s.io networkpolicies.networking.k8s.io
servicecidrs.networking.k8s.io
poddisruptionbudgets.policy
clusterrolebindings.rbac.authorization.k8s.io clusterroles.rbac.authorization.k8s.io rolebindings.rbac.authorization.k8s.io
roles.rbac.authorization.k8s.io
csidrivers.storage.k8s.io csinodes.storage.k8s.io csistoragecapacities.storage.k8s.io storageclasses.storage.k8s.io
volumeattachments.storage.k8s.io volumeattributesclasses.storage.k8s.io
mutatingadmissionpolicies.admissionregistration.k8s.io mutatingadmissionpolicybindings.admissionregistration.k8s.io
mutatingwebhookconfigurations.admissionregistration.k8s.io validatingadmissionpolicies.admissionregistration.k8s.io
validatingadmissionpolicybindings.admissionregistration.k8s.io validatingwebhookconfigurations.admissionregistration.k8s.io
customresourcedefinitions.apiextensions.k8s.io
priorityclasses.scheduling.k8s.io
leases.coordination.k8s.io
runtimeclasses.node.k8s.io
endpointslices.discovery.k8s.io
deviceclasses.resource.k8s.io resourceclaims.resource.k8s.io resourceclaimtemplates.resource.k8s.io resourceslices.resource.k8s.io
flowschemas.flowcontrol.apiserver.k8s.io prioritylevelconfigurations.flowcontrol.apiserver.k8s.io`
  .trim()
  .split(/\s+/);

const context: WriteContext = {
  nowMs: Date.parse('2026-11-21T01:00:00Z'),
  random: (length) => 'x'.repeat(length),
  uid: () => '00000000-0000-0000-0000-000000000000',
};

function named(kind: Kind, name = 'a'): AnyObject {
  return {
    kind: kind.kind,
    apiVersion: apiVersionOf(kind),
    metadata: {
      name,
      uid: 'u-1',
      resourceVersion: '',
      creationTimestamp: '2026-11-21T00:00:00Z',
      ...(kind.scope === 'Namespaced' ? { namespace: 'default' } : {}),
    },
  };
}

/** As the server would store it. */
function created(kind: Kind): AnyObject {
  const object = named(kind);
  kind.applyDefaults(object);
  kind.prepareForCreate(object, context);
  return object;
}

const title = (kind: Kind): string => `${groupResource(kind)}/${kind.version}`;
const each = (name: string, check: (kind: Kind) => void, kinds = builtinKinds): void => {
  describe(name, () => {
    for (const kind of kinds) it(title(kind), () => check(kind));
  });
};

describe('the list of kinds', () => {
  it('is the 68 resources of Kubernetes 1.36, in discovery order', () => {
    assert.deepEqual(builtinKinds.map(groupResource), resources);
    assert.equal(builtinKinds.length, 68);
  });

  it('has each group, version and plural once', () => {
    const names = builtinKinds.map(title);
    assert.equal(new Set(names).size, names.length);
  });

  it('gives a short name to one resource of a group and version only', () => {
    const seen = new Map<string, string>();
    for (const kind of builtinKinds) {
      for (const short of [...kind.shortNames, kind.plural]) {
        const key = `${kind.group}/${kind.version}/${short}`;
        assert.equal(seen.get(key), undefined, key);
        seen.set(key, kind.plural);
      }
    }
  });

  it('stores the two versions of one object in one place', () => {
    const byStorage = Map.groupBy(builtinKinds, (kind) => kind.storageResource);
    const shared = [...byStorage].filter(([, kinds]) => kinds.length > 1).map(([resource]) => resource);
    assert.deepEqual(shared.sort(), ['autoscaling/horizontalpodautoscalers', 'events']);
    for (const kinds of byStorage.values()) {
      assert.equal(kinds.filter((k) => !k.storageKind).length, 1);
      for (const kind of kinds) if (kind.storageKind) assert.ok(kind.toStorage && kind.fromStorage);
    }
  });
});

each('defaults, validation and warnings do not throw on an empty object', (kind) => {
  const object = { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata: {} } as KubeObject;
  kind.validate(structuredClone(object));
  kind.warnings(structuredClone(object));
  kind.applyDefaults(object);
  kind.prepareForCreate(object, context);
  kind.validate(object);
  kind.warnings(object);
  validateObjectMeta(kind, object.metadata);
  assert.ok(object.metadata);
});

each('defaults are idempotent', (kind) => {
  const once = named(kind);
  kind.applyDefaults(once);
  const twice = structuredClone(once);
  kind.applyDefaults(twice);
  assert.deepEqual(twice, once);
});

each('an update with nothing changed changes nothing', (kind) => {
  const previous = created(kind);
  const next = structuredClone(previous);
  kind.applyDefaults(next);
  kind.prepareForUpdate(next, previous, context);
  assert.deepEqual(next, previous);
  assert.deepEqual(kind.validateUpdate(next, previous), []);
  assert.deepEqual(validateObjectMetaUpdate(next.metadata, previous.metadata), []);
});

const withStatus = builtinKinds.filter((kind) => kind.subresources.some((s) => s.name === 'status'));

each(
  'an update of the main resource keeps the status',
  (kind) => {
    const previous = created(kind);
    previous.status = { ...(previous.status as object), observedGeneration: 7 };
    const next = structuredClone(previous);
    next.status = { observedGeneration: 9 };
    kind.prepareForUpdate(next, previous, context);
    assert.deepEqual(next.status, previous.status);
  },
  withStatus,
);

each(
  'an update of the status keeps the spec and lets annotations through',
  (kind) => {
    const previous = created(kind);
    const next = structuredClone(previous);
    next.spec = { bogus: true };
    next.status = { ...(next.status as object), observedGeneration: 9 };
    kind.prepareForStatusUpdate(next, previous, context);
    assert.deepEqual(next.spec, previous.spec);
    assert.equal((next.status as { observedGeneration: number }).observedGeneration, 9);
    kind.validateStatusUpdate(next, previous);
  },
  withStatus,
);

each('columns produce cells for an object that has nothing', (kind) => {
  for (const object of [named(kind), created(kind)]) {
    const { cells } = tableRow(kind, object, context.nowMs);
    assert.equal(cells.length, columnDefinitions(kind).length);
    for (const cell of cells) assert.notEqual(cell, undefined);
  }
});

each('selectable fields are text for an object that has nothing', (kind) => {
  for (const getter of Object.values(kind.selectableFields)) {
    assert.equal(typeof getter(named(kind)), 'string');
    assert.equal(typeof getter(created(kind)), 'string');
  }
});

each(
  'conversion to the stored version and back loses nothing',
  (kind) => {
    const object = created(kind);
    const stored = kind.toStorage?.(structuredClone(object));
    assert.equal(stored?.apiVersion, kind.storageKind && apiVersionOf(kind.storageKind));
    const again = kind.fromStorage?.(stored!);
    assert.deepEqual(kind.toStorage?.(again!), stored);
    assert.equal(again?.apiVersion, object.apiVersion);
    assert.deepEqual(again?.metadata, object.metadata);
  },
  builtinKinds.filter((kind) => kind.storageKind),
);

const source = goSource();
const skip = 'unavailable' in source ? `the Go packages cannot be had: ${source.unavailable}` : false;

describe("upstream's objects with every field set go through every hook", { skip }, () => {
  const folder = join('root' in source ? source.root : '', 'api/testdata/HEAD');
  for (const kind of builtinKinds) {
    const file = join(folder, `${kind.group || 'core'}.${kind.version}.${kind.kind}.json`);
    if (!existsSync(file)) continue;
    it(title(kind), () => {
      const object: AnyObject = JSON.parse(readFileSync(file, 'utf8'));
      kind.applyDefaults(object);
      const again = structuredClone(object);
      kind.applyDefaults(again);
      assert.deepEqual(again, object);
      kind.validate(object);
      kind.warnings(object);
      tableRow(kind, object, context.nowMs);
      const fresh = structuredClone(object);
      kind.prepareForCreate(fresh, context);
      const next = structuredClone(fresh);
      kind.prepareForUpdate(next, fresh, context);
      assert.deepEqual(next, fresh);
      assert.deepEqual(kind.validateUpdate(next, fresh), []);
      kind.prepareForStatusUpdate(next, fresh, context);
      kind.validateStatusUpdate(next, fresh);
    });
  }
});
