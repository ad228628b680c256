import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap } from '../api/kinds/core/config-map.ts';
import { FakeClient } from '../client/fake-client.ts';
import { FakeClock } from '../lib/clock.ts';
import { ensureClusterSettings } from './cluster-settings.ts';

const settings = {
  clusterCidr: '10.42.0.0/16',
  serviceCidr: '10.43.0.0/16',
  clusterDns: '10.43.0.10',
  clusterDomain: 'cluster.local',
};

test('servers behind this one find what they need to believe it', async () => {
  const client = new FakeClient(new FakeClock());
  await ensureClusterSettings(settings, { clients: 'ca-1', frontProxies: 'ca-2' }, client);
  const key = { namespace: 'kube-system', name: 'extension-apiserver-authentication' };
  const { data } = await client.get(ConfigMap, key);
  assert.deepEqual(data, {
    'client-ca-file': 'ca-1',
    'requestheader-client-ca-file': 'ca-2',
    'requestheader-allowed-names': '["front-proxy-client"]',
    'requestheader-username-headers': '["X-Remote-User"]',
    'requestheader-uid-headers': '["X-Remote-Uid"]',
    'requestheader-group-headers': '["X-Remote-Group"]',
    'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
  });
  await ensureClusterSettings(settings, { clients: 'ca-3', frontProxies: 'ca-2' }, client);
  assert.equal((await client.get(ConfigMap, key)).data?.['client-ca-file'], 'ca-3');
});
