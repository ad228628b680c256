import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testPod } from '../testing.ts';
import { parseResolvConf, podDns } from './dns-config.ts';
import { etcHosts } from './etc-hosts.ts';
import { podHostname } from './names.ts';

const host = parseResolvConf('# comment\nsearch home.lan\nnameserver 192.168.1.1\nnameserver 9.9.9.9\noptions edns0\n');
const cluster = { servers: ['10.43.0.10'], domain: 'cluster.local' };
const dns = (spec: object) => podDns(testPod({ containers: [], ...spec }), host, cluster);

const clusterFirst = {
  servers: ['10.43.0.10'],
  searches: ['default.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'home.lan'],
  options: ['ndots:5'],
};
const ofHost = { servers: ['192.168.1.1', '9.9.9.9'], searches: ['home.lan'], options: ['edns0'] };

for (const [name, spec, expected] of [
  ['ClusterFirst is the default', {}, clusterFirst],
  ['ClusterFirst on the host network is the host', { hostNetwork: true }, ofHost],
  ['ClusterFirstWithHostNet', { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }, clusterFirst],
  ['Default is the host', { dnsPolicy: 'Default' }, ofHost],
  [
    'None is what the pod says',
    {
      dnsPolicy: 'None',
      dnsConfig: { nameservers: ['1.1.1.1'], searches: ['x.y'], options: [{ name: 'ndots', value: '2' }, { name: 'rotate' }] },
    },
    { servers: ['1.1.1.1'], searches: ['x.y'], options: ['ndots:2', 'rotate'] },
  ],
  [
    'dnsConfig adds and overrides',
    { dnsConfig: { searches: ['x.y'], options: [{ name: 'ndots', value: '1' }] } },
    { ...clusterFirst, searches: [...clusterFirst.searches, 'x.y'], options: ['ndots:1'] },
  ],
] as const)
  test(`dns: ${name}`, () => assert.deepEqual(dns(spec), expected));

test('hosts: addresses, domain and aliases', () => {
  const text = etcHosts({
    ips: ['10.42.0.5'],
    hostname: 'web-0',
    domain: 'web.default.svc.cluster.local',
    aliases: [{ ip: '1.2.3.4', hostnames: ['a', 'b'] }],
  });
  assert.ok(text.startsWith('# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n'));
  assert.ok(text.includes('\n10.42.0.5\tweb-0.web.default.svc.cluster.local\tweb-0\n'));
  assert.ok(text.endsWith('\n# Entries added by HostAliases.\n1.2.3.4\ta\tb\n'));
});

test('hosts: the file of the host on the host network', () => {
  const text = etcHosts({ ips: [], hostname: 'x', aliases: [], hostFile: '127.0.0.1 localhost\n' });
  assert.equal(text, '# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n');
});

test('host names are cut to 63 characters, without a dash at the end', () => {
  const name = `${'a'.repeat(62)}-bcd`;
  assert.equal(podHostname(testPod({ containers: [] }, { name }), 'cluster.local').hostname, 'a'.repeat(62));
});

test('a subdomain makes a fully qualified name', () => {
  const pod = testPod({ containers: [], hostname: 'h', subdomain: 'sub', setHostnameAsFQDN: true });
  assert.deepEqual(podHostname(pod, 'cluster.local'), {
    hostname: 'h.sub.default.svc.cluster.local',
    domain: 'sub.default.svc.cluster.local',
  });
});
