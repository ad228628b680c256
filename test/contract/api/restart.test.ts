import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { ConfigMap } from '../../../src/api/kinds/core/config-map.ts';
import { silentLogger } from '../../../src/lib/log.ts';
import { systemMaster } from '../../../src/server/auth/user.ts';
import { SqliteStore } from '../../../src/sqlite-store/sqlite-store.ts';
import { caller, mergePatch } from '../../support/api-caller.ts';
import { startTestApi } from '../../support/api-server.ts';

it('everything is there again after a restart, from SQLite', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'skiff-restart-'));
  const open = async () => {
    const onFatal = (error: Error): void => assert.fail(error);
    const store = new SqliteStore({ file: join(folder, 'state.db'), log: silentLogger, onFatal });
    await store.open();
    const { server } = await startTestApi({ overrides: { store } });
    const close = async (): Promise<void> => {
      await server.stop();
      await store.close();
    };
    return { server, send: caller(server), close };
  };
  const maps = '/api/v1/namespaces/default/configmaps';
  const first = await open();
  await first.send(`POST ${maps}`, { metadata: { name: 'kept', labels: { a: 'b' } }, data: { x: '1' } });
  await first.send(`POST ${maps}`, { metadata: { name: 'gone' } });
  await first.send(`PATCH ${maps}/kept`, { data: { y: 'ü' } }, mergePatch);
  await first.send(`DELETE ${maps}/gone`);
  const before = await first.send(`GET ${maps}`);
  await first.close();

  const second = await open();
  const after = await second.send(`GET ${maps}?labelSelector=a%3Db`);
  assert.deepEqual(after.json.items, before.json.items);
  assert.ok(Number(after.json.metadata.resourceVersion) >= Number(before.json.metadata.resourceVersion));
  const old = await second.send(`GET ${maps}?watch=1&resourceVersion=3&timeoutSeconds=1`);
  assert.equal(JSON.parse(old.body).object.reason, 'Expired');
  const shared = second.server.reader.get(ConfigMap, { namespace: 'default', name: 'kept' });
  assert.equal(shared?.data?.['y'], 'ü');
  const created = await second.server.inProcess.create(systemMaster, ConfigMap, {
    metadata: { name: 'n', namespace: 'default' },
  });
  assert.ok(Number(created.metadata.resourceVersion) > Number(before.json.metadata.resourceVersion));
  await second.close();
  rmSync(folder, { recursive: true, force: true });
});
