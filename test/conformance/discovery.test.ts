import assert from 'node:assert/strict';
import { it } from 'node:test';
import { builtinKinds } from '../../src/api/kinds/index.ts';
import type { Json } from './support/api.ts';
import { controlPlane, refused } from './support/control-plane.ts';

const plane = controlPlane();
const aggregated = { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' };
/** As client-go asks: what it likes best first. */
const preferred = {
  accept: `${aggregated.accept},application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json`,
};
const groupVersion = ({ group, version }: { group: string; version: string }): string =>
  group ? `${group}/${version}` : version;
const everyResource = builtinKinds.map((kind) => `${groupVersion(kind)}/${kind.plural}`);

function resourcesIn(list: Json): string[] {
  return list.items.flatMap((group: Json) =>
    group.versions.flatMap((each: Json) => {
      const name = groupVersion({ group: group.metadata.name ?? '', version: each.version });
      return each.resources.map((resource: Json) => `${name}/${resource.resource}`);
    }),
  );
}

it('[sig-api-machinery] AggregatedDiscovery should support raw aggregated discovery endpoint Accept headers [Conformance]', async () => {
  const [legacy, groups] = [
    await plane.api.call('GET', '/api', undefined, aggregated),
    await plane.api.call('GET', '/apis', undefined, aggregated),
  ];
  for (const list of [legacy, groups]) assert.equal(list.kind, 'APIGroupDiscoveryList');
  const isLegacy = (resource: string): boolean => resource.startsWith('v1/');
  assert.deepEqual(resourcesIn(legacy).toSorted(), everyResource.filter(isLegacy).toSorted());
  assert.deepEqual(resourcesIn(groups).toSorted(), everyResource.filter((each) => !isLegacy(each)).toSorted());
});

it('[sig-api-machinery] AggregatedDiscovery should support aggregated discovery interface [Conformance]', async () => {
  const lists: Json[] = [];
  for (const path of ['/api', '/apis']) {
    const { status, headers, body } = await plane.api.send('GET', path, undefined, preferred);
    assert.equal(status, 200);
    // By this a client tells that it got what it asked for.
    const type = String(headers['content-type']);
    for (const part of ['g=apidiscovery.k8s.io', 'v=v2', 'as=APIGroupDiscoveryList'])
      assert.ok(type.split(';').includes(part), type);
    lists.push(JSON.parse(body));
  }
  const found = new Set(lists.flatMap(resourcesIn));
  for (const resource of everyResource) assert.ok(found.has(resource), resource);
});

it('[sig-api-machinery] Discovery should validate PreferredVersion for each APIGroup [Conformance]', async () => {
  const { groups } = await plane.api.get('/apis/');
  assert.deepEqual(
    groups.map((group: Json) => group.name).toSorted(),
    [...new Set(builtinKinds.map((kind) => kind.group).filter(Boolean))].toSorted(),
  );
  for (const { name } of groups) {
    const group = await plane.api.get(`/apis/${name}/`);
    const versions = group.versions.map((each: Json) => each.groupVersion);
    assert.ok(versions.includes(group.preferredVersion.groupVersion), name);
  }
});

it('[sig-api-machinery] Discovery should locate the groupVersion and a resource within each APIGroup [Conformance]', async () => {
  for (const [name, kinds] of Map.groupBy(builtinKinds, groupVersion)) {
    const list = await plane.api.get(name.includes('/') ? `/apis/${name}` : `/api/${name}`);
    assert.deepEqual([list.kind, list.groupVersion], ['APIResourceList', name]);
    const main = list.resources.filter((each: Json) => !each.name.includes('/')).map((each: Json) => `${each.name} ${each.kind}`);
    assert.deepEqual(main.toSorted(), kinds.map((kind) => `${kind.plural} ${kind.kind}`).toSorted());
  }
});

it('[sig-api-machinery] server version should find the server version [Conformance]', async () => {
  const { major, minor } = await plane.api.get('/version');
  assert.deepEqual([major, minor], ['1', '36']);
});

it('[sig-api-machinery] Servers with support for Table transformation should return a 406 for a backend which does not implement metadata [Conformance]', async () => {
  const review = { spec: { nonResourceAttributes: { path: '/', verb: 'get' } } };
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const table = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
  await refused(plane.api.call('POST', path, review, table), 406, 'NotAcceptable');
});
