import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeReader, type Sketch } from '../../../../test/support/fake-reader.ts';
import { Endpoints } from '../../../api/kinds/core/endpoints.ts';
import { Node } from '../../../api/kinds/core/node.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { Service } from '../../../api/kinds/core/service.ts';
import { EndpointSlice } from '../../../api/kinds/discovery/endpoint-slice.ts';
import type { StatusError } from '../../../api/status-error.ts';
import type { Reader } from '../../registry/reader.ts';
import { nodeTarget, type ProxyTarget, podTarget, resolveTarget, serviceTarget } from './proxy-target.ts';

const namespace = 'shop';
const reader = new FakeReader();
const find = (kind: 'node' | 'pod' | 'service', text: string): string => {
  try {
    const { scheme, host, port, isAgent } = target(kind, text);
    return `${scheme}://${host}:${port}${isAgent ? ' as agent' : ''}`;
  } catch (error) {
    return `${(error as StatusError).code} ${(error as StatusError).message}`;
  }
};
function target(kind: 'node' | 'pod' | 'service', text: string): ProxyTarget {
  if (kind === 'node') return nodeTarget(reader as Reader, text);
  return kind === 'pod' ? podTarget(reader, namespace, text) : serviceTarget(reader, namespace, text, () => 0);
}

const pod = (name: string, ip?: string, ports: object[] = []): void => {
  const status = ip ? { podIPs: [{ ip }] } : {};
  reader.put(Pod, { metadata: { name, namespace }, spec: { containers: [{ name: 'c', ports }] }, status } as Sketch<Pod>);
};
const service = (name: string, endpoints?: object[]): void => {
  const ports = [
    { name: 'http', port: 80 },
    { name: 'idle', port: 81 },
  ];
  reader.put(Service, { metadata: { name, namespace }, spec: { ports } } as Sketch<Service>);
  if (!endpoints) return;
  reader.put(Endpoints, { metadata: { name, namespace } });
  const labels = { 'kubernetes.io/service-name': name };
  const slice = { metadata: { name, namespace, labels }, addressType: 'IPv4', ports: [{ name: 'http', port: 8080 }], endpoints };
  reader.put(EndpointSlice, slice as unknown as Sketch<EndpointSlice>);
};

pod('web', '10.0.0.5', [{ containerPort: 8080 }]);
pod('plain', '10.0.0.6');
pod('new');
const nowhere = { self: '127.0.0.1', meta: '169.254.169.254', all: '0.0.0.0', many: '224.0.0.1', group: '239.1.2.3' };
for (const [name, ip] of Object.entries({ ...nowhere, everybody: '255.255.255.255', group6: 'ff05::1' })) pod(name, ip);
const targetRef = { kind: 'Pod', name: 'web', namespace };
service('web', [{ addresses: ['10.0.0.5'], targetRef }]);
service('manual', [{ addresses: ['127.0.0.1'] }, { addresses: ['10.9.9.9'], targetRef }]);
service('empty', []);
service('waiting', [{ addresses: ['10.0.0.5'], targetRef, conditions: { ready: false } }]);
service('own', [{ addresses: ['127.0.0.1'], targetRef: { ...targetRef, name: 'self' } }]);
service('external');
reader.put(Node, {
  metadata: { name: 'pi' },
  status: { addresses: [{ type: 'InternalIP', address: '10.1.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: 10250 } } },
} as Sketch<Node>);
reader.put(Node, {
  metadata: { name: 'lost' },
  status: { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: 10250 } } },
} as Sketch<Node>);

const rows: readonly ['node' | 'pod' | 'service', text: string, found: string][] = [
  ['pod', 'web', 'http://10.0.0.5:8080'],
  ['pod', 'web:', 'http://10.0.0.5:8080'],
  ['pod', 'web:81', 'http://10.0.0.5:81'],
  ['pod', 'https:web:81', 'https://10.0.0.5:81'],
  ['pod', 'https:plain:', 'https://10.0.0.6:443'],
  ['pod', 'plain', 'http://10.0.0.6:80'],
  ['pod', 'web:http', '400 invalid port "http"'],
  ['pod', 'ftp:web:81', '400 invalid pod request "ftp:web:81"'],
  ['pod', 'a:b:c:d', '400 invalid pod request "a:b:c:d"'],
  ['pod', ':web:81', 'http://10.0.0.5:81'],
  ['pod', 'http::81', '400 invalid pod request "http::81"'],
  ['pod', 'gone', '404 pods "gone" not found'],
  ['pod', 'new', '400 address not allowed'],
  ['pod', 'self', '400 address not allowed'],
  ['pod', 'meta', '400 address not allowed'],
  ['pod', 'all', '400 address not allowed'],
  ['pod', 'many', '400 address not allowed'],
  ['pod', 'group', '400 address not allowed'],
  ['pod', 'everybody', '400 address not allowed'],
  ['pod', 'group6', '400 address not allowed'],
  ['pod', 'web:0', '400 invalid port "0"'],
  ['pod', 'web:65536', '400 invalid port "65536"'],
  ['service', 'own:http', '503 no endpoints available for service "own"'],
  ['node', 'lost:80', '400 address not allowed'],
  ['service', 'web:80', 'http://10.0.0.5:8080'],
  ['service', 'https:web:http', 'https://10.0.0.5:8080'],
  ['service', 'web', '503 no endpoints available for service "web"'],
  ['service', 'web:81', '503 no endpoints available for service "web:81"'],
  ['service', 'web:99', '503 no service port 99 found for service "web"'],
  ['service', 'manual:80', '503 no endpoints available for service "manual"'],
  ['service', 'empty:http', '503 no endpoints available for service "empty"'],
  ['service', 'waiting:http', '503 no endpoints available for service "waiting"'],
  ['service', 'external', '404 services "external" not found'],
  ['service', 'gone', '404 services "gone" not found'],
  ['node', 'pi', 'https://10.1.0.1:10250 as agent'],
  ['node', 'http:pi:10250', 'https://10.1.0.1:10250 as agent'],
  ['node', 'pi:80', 'http://10.1.0.1:80'],
  ['node', 'https:pi:9100', 'https://10.1.0.1:9100'],
  ['node', 'ftp:pi:80', '400 invalid node request "ftp:pi:80"'],
];
for (const [kind, text, found] of rows) test(`proxy to the ${kind} ${text}`, () => assert.equal(find(kind, text), found));

test('a name of a node leads to the address it has, never back to this machine', async () => {
  const named = (host: string, isAgent = false): ProxyTarget => ({ scheme: 'http', host, port: 80, isAgent });
  await assert.rejects(resolveTarget(named('localhost')), { code: 400, message: 'address not allowed' });
  for (const target of [named('localhost', true), named('10.0.0.5'), named('127.0.0.1')])
    assert.equal(await resolveTarget(target), target, 'addresses were judged before');
});
