/** The official Python client, which has an HTTP stack and models of its own, as Debian packages it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { it } from 'node:test';
import { promisify } from 'node:util';
import { controlPlane } from '../../conformance/support/control-plane.ts';

const run = promisify(execFile);
const plane = controlPlane();

it('programs in Python read, write, watch and discover', async () => {
  const { stdout } = await run('/usr/bin/python3', ['test/scenario/clients/client.py', plane.kubeconfig], {
    env: { PYTHONDONTWRITEBYTECODE: '1' },
  });
  const parts = ['lists_every_kind', 'reads_and_writes', 'watches', 'reads_pages', 'discovers', 'works_on_manifests'];
  assert.deepEqual(stdout.trim().split('\n'), parts);
});
