import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../src/lib/log.ts';
import { SqliteStore } from '../../src/sqlite-store/sqlite-store.ts';
import { MemoryStore } from '../../src/storage/memory-store.ts';
import { storeContract } from './store-contract.ts';

storeContract('MemoryStore', async () => {
  const store = new MemoryStore();
  await store.open();
  return { store, dispose: () => store.close() };
});

storeContract('SqliteStore', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'skiff-store-'));
  const open = async (): Promise<SqliteStore> => {
    const store = new SqliteStore({
      file: join(folder, 'state.db'),
      log: silentLogger,
      onFatal: (error) => {
        throw error;
      },
    });
    await store.open();
    return store;
  };
  let store = await open();
  return {
    store,
    async dispose() {
      await store.close();
      rmSync(folder, { recursive: true });
    },
    async reopen() {
      await store.close();
      store = await open();
      return store;
    },
  };
});
