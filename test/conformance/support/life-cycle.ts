import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type Json, type PatchType, patchKinds, type Resource } from './api.ts';
import { assertNewer, assertVersion, type ControlPlane, exists, gone, refused } from './control-plane.ts';
import type { KindRow } from './kind-rows.ts';
import type { WatchStream } from './watch-stream.ts';

const allVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const label = 'life-cycle';

/** An object of a kind, complete but for what the server sets. */
export function objectOf(row: KindRow, number: number, namespace = '', labels: Readonly<Record<string, string>> = {}): Json {
  const name = row.name?.(number) ?? `object-${number}`;
  return { metadata: { name, labels }, ...structuredClone(row.fields?.(number, namespace) ?? {}) };
}

/**
 * What every kind must do, in the order in which a client would: discovery, create, get, list, watch, table, the four kinds of patches, update,
 * status, delete, deletecollection; and that the watches, of the namespace and of all namespaces, told of each of it.
 */
export async function liveThrough(plane: ControlPlane, row: KindRow): Promise<void> {
  const cycle = new LifeCycle(plane, row, row.namespaced ? await plane.newNamespace() : undefined);
  await cycle.checkDiscovery();
  await cycle.create();
  await cycle.read();
  const watches = await cycle.watch();
  await cycle.patch();
  await cycle.update();
  if (row.status) await cycle.status(row.status);
  await cycle.delete();
  await cycle.deleteCollection();
  for (const watch of watches) await cycle.checkEvents(watch);
}

class LifeCycle {
  readonly #plane: ControlPlane;
  readonly #row: KindRow;
  readonly #resource: Resource;
  /** The same resource in all namespaces; of the cluster there is one only. */
  readonly #everywhere: Resource;
  readonly #selector: string;
  readonly #labels: Readonly<Record<string, string>>;
  #created: Json[] = [];
  #first: Json;

  constructor(plane: ControlPlane, row: KindRow, namespace: string | undefined) {
    this.#plane = plane;
    this.#row = row;
    this.#resource = plane.api.resource(row.resource, namespace);
    this.#everywhere = plane.api.resource(row.resource);
    this.#labels = { [label]: randomUUID() };
    this.#selector = `${label}=${this.#labels[label]}`;
  }

  get #query(): { labelSelector: string } {
    return { labelSelector: this.#selector };
  }

  async checkDiscovery(): Promise<void> {
    const { resource, kind, namespaced, withoutVerbs = [], status, subresources = [] } = this.#row;
    const plural = resource.slice(resource.lastIndexOf('/') + 1);
    const { resources } = await this.#plane.api.get(this.#resource.groupVersionPath);
    const own = resources.find((each: Json) => each.name === plural);
    const verbs = allVerbs.filter((verb) => !withoutVerbs.includes(verb));
    assert.deepEqual([own.kind, own.namespaced, own.verbs.toSorted()], [kind, namespaced, verbs]);
    const names = resources.map((each: Json) => each.name).filter((name: string) => name.startsWith(`${plural}/`));
    const expected = [...subresources, ...(status ? ['status'] : [])].map((name) => `${plural}/${name}`);
    assert.deepEqual(names.toSorted(), expected.toSorted());
  }

  async create(): Promise<void> {
    const objects = [1, 2, 3].map((number) => objectOf(this.#row, number, this.#resource.namespace, this.#labels));
    await this.#resource.create(objects[0], { dryRun: 'All', fieldValidation: 'Strict' });
    assert.equal(await exists(this.#resource, objects[0].metadata.name), false, 'a dry run creates nothing');
    for (const object of objects) this.#created.push(await this.#resource.create(object, { fieldValidation: 'Strict' }));
    for (const created of this.#created) {
      const { uid, creationTimestamp, namespace } = created.metadata;
      assert.ok(uid && creationTimestamp);
      assert.equal(namespace, this.#resource.namespace);
      assertVersion(created);
    }
    const status = await refused(this.#resource.create(objects[0]), 409, 'AlreadyExists');
    assert.equal(status.details.name, objects[0].metadata.name);
    this.#first = this.#created[0];
  }

  async read(): Promise<void> {
    const { name, uid } = this.#first.metadata;
    const got = await this.#resource.get(name);
    assert.deepEqual([got.kind, got.metadata.uid], [this.#row.kind, uid]);
    for (const resource of [this.#resource, this.#everywhere]) {
      const list = await resource.list(this.#query);
      assert.equal(list.kind, `${this.#row.kind}List`);
      assert.deepEqual(uidsOf(list), this.#created.map((each) => each.metadata.uid).toSorted());
      assertVersion(list);
    }
    const byName = await this.#resource.list({ fieldSelector: `metadata.name=${name}` });
    assert.deepEqual(uidsOf(byName), [uid]);
    const accept = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
    const table = await this.#plane.api.call('GET', this.#resource.path({ query: this.#query }), undefined, accept);
    assert.equal(table.kind, 'Table');
    assert.deepEqual(table.rows.map((each: Json) => each.object.metadata.name).toSorted(), this.#names);
    for (const { cells } of table.rows) assert.equal(cells.length, table.columnDefinitions.length);
  }

  /** From before the objects were changed. */
  async watch(): Promise<WatchStream[]> {
    const { resourceVersion } = (await this.#resource.list(this.#query)).metadata;
    const watches = [await this.#resource.watch({ ...this.#query, resourceVersion })];
    if (this.#row.namespaced) watches.push(await this.#everywhere.watch({ ...this.#query, resourceVersion }));
    return watches;
  }

  async patch(): Promise<void> {
    const { name } = this.#first.metadata;
    const annotations = (value: string): Json => ({ metadata: { annotations: { [value]: 'true' } } });
    const patches = [
      await this.#resource.patch(name, annotations('merge')),
      await this.#resource.patch(name, annotations('strategic'), { type: 'strategic' }),
      await this.#resource.patch(name, [{ op: 'add', path: '/metadata/annotations/json', value: 'true' }], { type: 'json' }),
      await this.#resource.patch(
        name,
        { apiVersion: this.#first.apiVersion, kind: this.#row.kind, ...annotations('apply') },
        { type: 'apply', query: { fieldManager: 'life-cycle' } },
      ),
    ];
    let before = this.#first;
    for (const patched of patches) {
      assertNewer(patched, before);
      before = patched;
    }
    const { merge, strategic, json, apply } = before.metadata.annotations;
    assert.deepEqual([merge, strategic, json, apply], Array(4).fill('true'));
  }

  async update(): Promise<void> {
    const { name } = this.#first.metadata;
    const { change } = this.#row;
    const updated = await this.#resource.change(name, (object) => {
      object.metadata.annotations.updated = 'true';
      change?.edit(object);
    });
    assertNewer(updated, this.#first);
    const got = await this.#resource.get(name);
    assert.equal(got.metadata.annotations.updated, 'true');
    if (change) assert.deepEqual(change.read(got), change.value);
    await refused(this.#resource.update({ ...got, metadata: { ...got.metadata, resourceVersion: '1' } }), 409, 'Conflict');
  }

  async status(status: NonNullable<KindRow['status']>): Promise<void> {
    const { name, uid } = this.#first.metadata;
    const got = await this.#resource.get(name, 'status');
    assert.deepEqual([got.kind, got.metadata.uid], [this.#row.kind, uid]);
    const metadata = { annotations: { 'patched-status': 'true' } };
    const patched = await this.#resource.patch(name, { metadata, status: status.patch }, { subresource: 'status' });
    assert.equal(patched.metadata.annotations['patched-status'], this.#row.statusKeepsMetadata ? undefined : 'true');
    const { apiVersion, kind } = got;
    const patches: Readonly<Record<PatchType, Json>> = {
      merge: { status: status.patch },
      strategic: { status: status.patch },
      json: Object.entries(status.patch).map(([key, value]) => ({ op: 'add', path: `/status/${key}`, value })),
      apply: { apiVersion, kind, status: status.patch },
    };
    for (const type of patchKinds) {
      const query = type === 'apply' ? { fieldManager: 'life-cycle', force: true } : {};
      const answer = await this.#resource.patch(name, patches[type], { type, subresource: 'status', query });
      assertHas(answer.status, status.patch);
    }
    const updated = await this.#resource.change(name, (object) => Object.assign((object.status ??= {}), status.update), 'status');
    assertHas(updated.status, status.update);
    const after = await this.#resource.patch(name, { status: status.patch });
    assert.throws(() => assertHas(after.status, status.patch), 'the status is changed through its sub-resource alone');
  }

  async delete(): Promise<void> {
    const { name, uid } = this.#first.metadata;
    const answer = await this.#resource.delete(name, { preconditions: { uid } });
    // An answer that is the object may mean that others must agree first, in their time.
    if (answer.kind !== 'Status' && answer.metadata.deletionTimestamp) return;
    await refused(this.#resource.get(name), 404, 'NotFound');
    const left = await this.#resource.list(this.#query);
    assert.deepEqual(
      left.items.map((item: Json) => item.metadata.name),
      this.#names.slice(1),
    );
  }

  async deleteCollection(): Promise<void> {
    const rest = this.#names.slice(1);
    if (this.#row.withoutVerbs?.includes('deletecollection')) for (const name of rest) await this.#resource.delete(name);
    else await this.#resource.deleteCollection(this.#query);
    for (const name of this.#names) await gone(this.#resource, name);
    assert.deepEqual((await this.#everywhere.list(this.#query)).items, []);
    await refused(this.#resource.delete(rest[0]!), 404, 'NotFound');
  }

  /** Others may have changed the objects as well: what counts is the order. */
  async checkEvents(watch: WatchStream): Promise<void> {
    const { uid } = this.#first.metadata;
    for (const annotation of ['merge', 'strategic', 'json', 'apply', 'updated']) {
      const { object } = await watch.until(
        annotation,
        ({ type, object }) => type === 'MODIFIED' && object.metadata.uid === uid && object.metadata.annotations?.[annotation],
      );
      assert.equal(object.kind, this.#row.kind);
    }
    const deleted = new Set(this.#created.map((each) => each.metadata.uid));
    while (deleted.size > 0) {
      const { object } = await watch.until('a deletion', ({ type }) => type === 'DELETED');
      assert.ok(deleted.delete(object.metadata.uid));
    }
    watch.stop();
  }

  get #names(): string[] {
    return this.#created.map((each) => each.metadata.name);
  }
}

function uidsOf(list: Json): string[] {
  return list.items.map((item: Json) => item.metadata.uid).toSorted();
}

/** Checks that `actual` has all that `expected` has; in lists, in any order. Who else writes there may have added to it. */
function assertHas(actual: Json, expected: Json): void {
  if (Array.isArray(expected))
    for (const each of expected)
      assert.ok(
        actual?.some((one: Json) => has(one, each)),
        missing(actual, each),
      );
  else if (expected && typeof expected === 'object')
    for (const [key, value] of Object.entries(expected)) assertHas(actual?.[key], value);
  else assert.equal(actual, expected);
}

function has(actual: Json, expected: Json): boolean {
  try {
    assertHas(actual, expected);
    return true;
  } catch {
    return false;
  }
}

function missing(actual: Json, expected: Json): string {
  return `${JSON.stringify(actual)} has ${JSON.stringify(expected)}`;
}
