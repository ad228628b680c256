/** A whole server whose data lies on a small file system that fills up and gets room again. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { isolated } from '../support/isolated.ts';
import { type Answer, ServerProcess } from '../support/server-process.ts';

const sizeMib = 24;
const refusalsWanted = 20;
const path = '/api/v1/namespaces/default/configmaps';

isolated(import.meta.url, ({ folder }) => {
  describe('a server on a full disk', () => {
    const disk = join(folder, 'disk');
    const filler = join(disk, 'filler');
    const server = new ServerProcess(folder, { dataDir: join(disk, 'data') });
    const acknowledged = new Set<string>();

    const create = async (name: string): Promise<Answer> => {
      const answer = await server.call('POST', path, { metadata: { name }, data: { value: 'x'.repeat(4000) } });
      if (answer.status === 201) acknowledged.add(name);
      return answer;
    };
    const names = async (): Promise<Set<string>> => {
      const { items } = JSON.parse((await server.call('GET', path)).body) as { items: { metadata: { name: string } }[] };
      return new Set(items.map((item) => item.metadata.name).filter((name) => name !== 'kube-root-ca.crt'));
    };

    before(async () => {
      mkdirSync(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMib}m`, 'tmpfs', disk]);
      await server.start();
    });
    after(() => server.stop());

    it('refuses writes with the reason', async () => {
      const { bavail, bsize } = statfsSync(disk);
      writeFileSync(filler, Buffer.alloc(bavail * bsize - 512 * 1024));
      const refusals: Answer[] = [];
      for (let n = 0; refusals.length < refusalsWanted; n++) {
        const answer = await create(`before-${n}`);
        if (answer.status !== 201) refusals.push(answer);
        assert.ok(n < 5000, 'the disk never became full');
      }
      for (const { status, body } of refusals) {
        assert.ok([500, 507].includes(status), `${status} ${body}`);
        assert.match(JSON.parse(body).message, /disk|space|full/i);
      }
      assert.ok(acknowledged.size > 0);
    });

    it('still answers what it has', async () => {
      assert.deepEqual(await names(), acknowledged);
      assert.equal((await server.call('GET', '/livez')).status, 200);
    });

    it('goes on when there is room again', async () => {
      rmSync(filler);
      await eventually('a write', async () => (await create('after')).status === 201);
      for (let n = 0; n < 50; n++) assert.equal((await create(`after-${n}`)).status, 201);
      assert.deepEqual(await names(), acknowledged);
    });

    it('has everything after being killed', async () => {
      await server.stop('SIGKILL');
      await server.start();
      assert.deepEqual(await names(), acknowledged);
    });
  });
});
