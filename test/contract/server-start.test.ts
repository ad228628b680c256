import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/log.ts';
import { createServer } from '../../src/server/server.ts';
import { SqliteStore } from '../../src/sqlite-store/sqlite-store.ts';

const deps = { clock: systemClock, log: silentLogger, onFatal: (error: Error) => assert.fail(error) };

test('roles are there before a server listens: nobody is ever refused because they are still to come', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'skiff-start-'));
  const other = createTcpServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const server = createServer(
    {
      ...{ dataDir, port: (other.address() as AddressInfo).port, bindAddress: '127.0.0.1', advertiseAddress: '192.168.77.11' },
      ...{ tlsNames: { dns: [], ips: [] }, nodePorts: { first: 30000, last: 32767 } },
      ...{ clusterCidr: '10.42.0.0/16', serviceCidr: '10.43.0.0/16', clusterDns: '10.43.0.10', clusterDomain: 'cluster.local' },
      kubeconfig: { file: join(dataDir, 'kubeconfig'), mode: 0o600 },
    },
    deps,
  );
  try {
    // The port is somebody else's: that ends the start where it would listen.
    await assert.rejects(server.start(), /is taken/);
    await server.stop();
    const store = new SqliteStore({ file: join(dataDir, 'db/state.db'), ...deps });
    await store.open();
    const { entries } = await store.loadAll();
    await store.close();
    const roles = [...entries].filter(({ key }) => key.includes('/clusterroles'));
    assert.ok(roles.length > 40, `${roles.length} roles`);
  } finally {
    other.close();
    rmSync(dataDir, { recursive: true });
  }
});
