import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { caller, type Send } from '../support/api-caller.ts';
import { startGuardedApi } from '../support/guarded-api.ts';

interface Resource {
  readonly name: string;
  readonly singularName: string;
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly priority: number;
}

const asTable = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };

it('has the resources of a real server, with the same columns', async (t) => {
  const { server, stop } = await startGuardedApi();
  t.after(stop);
  const send = caller(server);
  const recorded = new Map(
    readFileSync('test/golden/resources.txt', 'utf8')
      .trimEnd()
      .split('\n\n')
      .slice(1)
      .map((block) => [block.slice(0, block.indexOf('\n')), block]),
  );
  const { groups } = (await send('GET /apis')).json;
  const served = groups.flatMap(({ versions }: { versions: { groupVersion: string }[] }) =>
    versions.map((v) => `/apis/${v.groupVersion}`),
  );
  assert.deepEqual(['/api/v1', ...served].sort(), [...recorded.keys()].sort());
  for (const [path, block] of recorded) assert.equal(await described(send, path), block);
});

/** The resources of a group version, in the form of the recording. */
async function described(send: Send, path: string): Promise<string> {
  const resources: Resource[] = (await send(`GET ${path}`)).json.resources;
  const lines = [path];
  for (const resource of resources.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    lines.push(`  ${resource.name}: ${resourceText(resource)}`);
    if (!resource.verbs.includes('list')) continue;
    const table = await send(`GET ${path}/${resource.name}`, undefined, asTable);
    lines.push(`    ${table.json.columnDefinitions.map(columnText).join(', ')}`);
  }
  return lines.join('\n');
}

function resourceText({ singularName, group, version, kind, namespaced, verbs, shortNames, categories }: Resource): string {
  const parts = [
    singularName,
    version ? `${group ?? ''}/${version} ${kind}` : kind,
    namespaced ? 'namespaced' : 'cluster',
    verbs.toSorted().join(','),
    shortNames && `short ${shortNames.join(',')}`,
    categories && `in ${categories.join(',')}`,
  ];
  return parts.filter(Boolean).join('; ');
}

const columnText = ({ name, type, format, priority }: Column): string =>
  `${name}${priority ? '*' : ''} ${type}${format ? `/${format}` : ''}`;
