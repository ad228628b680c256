import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Json, Resource } from './support/api.ts';
import { controlPlane, refused } from './support/control-plane.ts';

const total = 400;
/** The server remembers the last 4,096 changes: after this many the first page is forgotten, if not before. */
const mostChanges = 10_000;
const atOnce = 32;
const nameOf = (number: number): string => `template-${String(number).padStart(4, '0')}`;

let templates: Resource;

const plane = controlPlane(async () => {
  templates = await plane.inNewNamespace('v1/podtemplates');
  const template = { spec: { containers: [{ name: 'app', image: 'registry.invalid/app:1' }] } };
  await inParallel(total, (n) => templates.create({ metadata: { name: nameOf(n) }, template }));
});

it('[sig-api-machinery] Servers with support for API chunking should return chunks of results for list calls [Conformance]', async () => {
  const limit = 17;
  for (let round = 0; round < 3; round++) {
    const first = await templates.list({ limit });
    assert.equal(await readOn(first, { limit, from: 0 }), total);
  }
  const whole = await templates.list({ limit: total + 1 });
  assert.deepEqual(
    [whole.items.length, whole.metadata.continue, whole.metadata.remainingItemCount],
    [total, undefined, undefined],
  );
});

it('[sig-api-machinery] Servers with support for API chunking should support continue listing from the last key if the original version has been compacted away, though the list is inconsistent [Slow] [Conformance]', async () => {
  const limit = total / 10;
  const first = await templates.list({ limit });
  checkPage(first, { limit, from: 0 });
  const { continue: token, resourceVersion } = first.metadata;
  await forgetHistory();

  const status = await refused(templates.list({ limit, continue: token }), 410, 'Expired');
  assert.ok(status.metadata.continue, 'a token to go on with');
  const second = await templates.list({ limit, continue: status.metadata.continue });
  assert.equal(second.items.length, limit);
  assert.notEqual(second.metadata.resourceVersion, resourceVersion);
  assert.equal(await readOn(second, { limit, from: limit }), total);
});

/** Reads all pages after `page`, whose items begin with number `from`. Returns the number of the item after the last. */
async function readOn(page: Json, { limit, from }: { limit: number; from: number }): Promise<number> {
  const { resourceVersion } = page.metadata;
  for (;;) {
    checkPage(page, { limit, from });
    assert.equal(page.metadata.resourceVersion, resourceVersion, 'every page shows the same moment');
    from += page.items.length;
    if (!page.metadata.continue) return from;
    page = await templates.list({ limit, continue: page.metadata.continue });
  }
}

function checkPage({ items, metadata }: Json, { limit, from }: { limit: number; from: number }): void {
  assert.ok(items.length <= limit);
  assert.deepEqual(
    items.map((item: Json) => item.metadata.name),
    Array.from(items, (_, n) => nameOf(from + n)),
  );
  assert.equal(metadata.remainingItemCount, metadata.continue ? total - from - items.length : undefined);
}

/** Writes so much that the server no longer knows how things were. */
async function forgetHistory(): Promise<void> {
  const maps = plane.api.resource('v1/configmaps', templates.namespace);
  await inParallel(atOnce, (n) => maps.create({ metadata: { name: `changed-${n}` } }));
  await inParallel(mostChanges, (n) => maps.patch(`changed-${n % atOnce}`, { data: { change: String(n) } }));
}

async function inParallel(count: number, task: (number: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await task(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
