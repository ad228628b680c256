import { createHash } from 'node:crypto';
import type { Kind, Subresource } from '../../api/kind.ts';
import { apiVersionOf } from '../../api/meta.ts';

/** One group with its versions in order of preference, each with its kinds in order of declaration. */
interface Group {
  readonly name: string;
  readonly versions: Map<string, Kind[]>;
}

function groupsOf(kinds: readonly Kind[]): Group[] {
  const groups = new Map<string, Group>();
  for (const kind of kinds) {
    const group = groups.get(kind.group) ?? { name: kind.group, versions: new Map() };
    groups.set(kind.group, group);
    const members = group.versions.get(kind.version) ?? [];
    members.push(kind);
    group.versions.set(kind.version, members);
  }
  return [...groups.values()];
}

/** `APIGroupDiscoveryList` of apidiscovery.k8s.io/v2: everything in one answer. `core` selects `/api`, otherwise `/apis`. */
export function aggregatedDiscovery(kinds: readonly Kind[], core: boolean): object {
  const groups = groupsOf(kinds).filter((group) => (group.name === '') === core);
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map((group) => ({
      metadata: group.name ? { name: group.name } : {},
      versions: [...group.versions].map(([version, members]) => ({
        version,
        resources: members.map(aggregatedResource),
        freshness: 'Current',
      })),
    })),
  };
}

function aggregatedResource(kind: Kind): object {
  return {
    resource: kind.plural,
    responseKind: { group: '', version: '', kind: kind.kind },
    scope: kind.scope,
    singularResource: kind.singular,
    verbs: kind.verbs,
    ...(kind.shortNames.length > 0 ? { shortNames: kind.shortNames } : {}),
    ...(kind.categories.length > 0 ? { categories: kind.categories } : {}),
    ...(kind.subresources.length > 0 ? { subresources: kind.subresources.map((s) => aggregatedSubresource(kind, s)) } : {}),
  };
}

/** Group and version of what is answered are empty where they are those of the resource. */
function aggregatedSubresource(kind: Kind, subresource: Subresource): object {
  const { group = '', version = '', kind: body = kind.kind } = subresource;
  return { subresource: subresource.name, responseKind: { group, version, kind: body }, verbs: subresource.verbs };
}

/** `APIVersions`, the old answer of `/api`. */
export function coreVersions(serverAddress: string): object {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  };
}

/** `APIGroupList`, the old answer of `/apis`. */
export function groupList(kinds: readonly Kind[]): object {
  const groups = groupsOf(kinds).filter((group) => group.name !== '');
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupEntry) };
}

/** `APIGroup`; undefined when there is no such group. */
export function groupDocument(kinds: readonly Kind[], name: string): object | undefined {
  const group = groupsOf(kinds).find((g) => g.name === name && name !== '');
  return group && { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(group) };
}

function groupEntry(group: Group): object {
  const versions = [...group.versions.keys()].map((version) => ({
    groupVersion: apiVersionOf({ group: group.name, version }),
    version,
  }));
  return { name: group.name, versions, preferredVersion: versions[0] };
}

/** `APIResourceList` of one group and version; undefined when there is none. */
export function resourceList(kinds: readonly Kind[], group: string, version: string): object | undefined {
  const members = kinds.filter((kind) => kind.group === group && kind.version === version);
  if (members.length === 0) return undefined;
  return {
    kind: 'APIResourceList',
    ...(group ? { apiVersion: 'v1' } : {}),
    groupVersion: apiVersionOf({ group, version }),
    resources: members.flatMap(listedResources),
  };
}

function listedResources(kind: Kind): object[] {
  const namespaced = kind.scope === 'Namespaced';
  const whole = {
    name: kind.plural,
    singularName: kind.singular,
    namespaced,
    kind: kind.kind,
    verbs: kind.verbs,
    ...(kind.shortNames.length > 0 ? { shortNames: kind.shortNames } : {}),
    ...(kind.categories.length > 0 ? { categories: kind.categories } : {}),
    ...(kind.verbs.includes('watch') ? { storageVersionHash: storageVersionHash(kind) } : {}),
  };
  return [whole, ...kind.subresources.map((s) => listedSubresource(kind, s, namespaced))];
}

/** Tells clients whether what is stored has changed its version (apiserver: pkg/endpoints/discovery/storageversionhash.go). */
function storageVersionHash({ storageKind, ...served }: Kind): string {
  const { group, version, kind } = storageKind ?? served;
  return createHash('sha256').update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString('base64');
}

function listedSubresource(kind: Kind, subresource: Subresource, namespaced: boolean): object {
  const { group, version, kind: body = kind.kind } = subresource;
  return {
    name: `${kind.plural}/${subresource.name}`,
    singularName: '',
    namespaced,
    ...(group === undefined ? {} : { group, version }),
    kind: body,
    verbs: subresource.verbs,
  };
}
