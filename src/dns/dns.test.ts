import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type DecodedPacket, decode, encode, type Question } from 'dns-packet';
import type { Service } from '../api/kinds/core/service.ts';
import type { EndpointSlice } from '../api/kinds/discovery/endpoint-slice.ts';
import { systemClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import type { ClusterSource } from './cluster-records.ts';
import { createClusterHandler } from './handlers/cluster.ts';
import { createForwardHandler } from './handlers/forward.ts';
import { createDnsServer } from './server.ts';

const service = (name: string, spec: Partial<Service['spec']>): Service =>
  ({ metadata: { namespace: 'default', name }, spec, status: {} }) as Service;
const services = [
  service('web', { clusterIP: '10.43.0.5', clusterIPs: ['10.43.0.5'], ports: [{ name: 'http', port: 80, protocol: 'TCP' }] }),
  service('db', { clusterIP: 'None', ports: [{ name: 'sql', port: 5432 }] }),
  service('out', { type: 'ExternalName', externalName: 'example.com' }),
];
const slices = [
  {
    metadata: { namespace: 'default', name: 'db-1', labels: { 'kubernetes.io/service-name': 'db' } },
    addressType: 'IPv4',
    ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }],
    endpoints: [
      { addresses: ['10.42.0.2'], hostname: 'db-0', conditions: { ready: true } },
      { addresses: ['10.42.0.3'], conditions: { ready: false } },
    ],
  } as unknown as EndpointSlice,
];
const source: ClusterSource = {
  service: (namespace, name) => (namespace === 'default' ? services.find((s) => s.metadata.name === name) : undefined),
  slices: (_, name) => slices.filter((s) => s.metadata.labels?.['kubernetes.io/service-name'] === name),
  namespaceExists: (namespace) => namespace === 'default',
  serviceOfIp: (ip) => (ip === '10.43.0.5' ? { namespace: 'default', name: 'web' } : undefined),
};

describe('dns server', () => {
  let upstream: Socket;
  let asked = 0;
  let server: ReturnType<typeof createDnsServer>;
  let client: Socket;

  before(async () => {
    upstream = createSocket('udp4');
    upstream.on('message', (packet, from) => {
      asked++;
      const query = decode(packet);
      const answers = [{ type: 'A' as const, name: query.questions![0]!.name, ttl: 60, data: '192.0.2.1' }];
      upstream.send(
        encode({ type: 'response', id: query.id!, flags: 0, questions: query.questions!, answers }),
        from.port,
        from.address,
      );
    });
    await new Promise<void>((resolve) => upstream.bind(0, '127.0.0.1', () => resolve()));
    const handlers = [
      createClusterHandler('cluster.local', source),
      createForwardHandler({ upstreams: () => [`127.0.0.1#${upstream.address().port}`], clock: systemClock }),
    ];
    server = createDnsServer({ address: '127.0.0.1', port: 0, handlers, log: silentLogger });
    await server.start();
    client = createSocket('udp4');
  });
  after(async () => {
    client.close();
    upstream.close();
    await server.stop();
  });

  type Answered = DecodedPacket & { rcode: string };
  const question = (name: string, type: string): Question => ({ name, type }) as Question;
  const ask = (name: string, type = 'A'): Promise<Answered> =>
    new Promise((resolve) => {
      client.once('message', (packet) => resolve(decode(packet) as Answered));
      client.send(encode({ type: 'query', id: 7, flags: 256, questions: [question(name, type)] }), server.boundPort, '127.0.0.1');
    });
  const data = (packet: Answered): unknown[] => packet.answers!.map((a) => ('data' in a ? a.data : undefined));

  it('finds services by name', async () => assert.deepEqual(data(await ask('web.default.svc.cluster.local')), ['10.43.0.5']));
  it('finds them whatever the case', async () =>
    assert.deepEqual(data(await ask('WEB.default.SVC.cluster.LOCAL')), ['10.43.0.5']));
  it('gives ready endpoints of headless services', async () =>
    assert.deepEqual(data(await ask('db.default.svc.cluster.local')), ['10.42.0.2']));
  it('gives endpoints by host name', async () =>
    assert.deepEqual(data(await ask('db-0.db.default.svc.cluster.local')), ['10.42.0.2']));
  it('gives ports', async () => {
    const expected = [{ priority: 0, weight: 100, port: 80, target: 'web.default.svc.cluster.local' }];
    assert.deepEqual(data(await ask('_http._tcp.web.default.svc.cluster.local', 'SRV')), expected);
  });
  it('gives ports of headless services', async () => {
    const answer = data(await ask('_sql._tcp.db.default.svc.cluster.local', 'SRV')) as { target: string }[];
    assert.deepEqual(
      answer.map((a) => a.target),
      ['db-0.db.default.svc.cluster.local'],
    );
  });
  it('gives aliases', async () => assert.deepEqual(data(await ask('out.default.svc.cluster.local')), ['example.com']));
  it('gives pods by address', async () =>
    assert.deepEqual(data(await ask('10-42-0-7.default.pod.cluster.local')), ['10.42.0.7']));
  it('looks up names of addresses', async () =>
    assert.deepEqual(data(await ask('5.0.43.10.in-addr.arpa', 'PTR')), ['web.default.svc.cluster.local']));
  it('says when a name does not exist', async () => {
    const answer = await ask('google.com.default.svc.cluster.local');
    assert.equal(answer.rcode, 'NXDOMAIN');
    assert.equal(answer.authorities?.[0]?.type, 'SOA');
  });
  it('says when a name has no record of the type', async () => {
    const answer = await ask('web.default.svc.cluster.local', 'AAAA');
    assert.deepEqual([answer.rcode, answer.answers!.length], ['NOERROR', 0]);
  });
  it('asks upstream once for what is outside', async () => {
    assert.deepEqual(data(await ask('example.com')), ['192.0.2.1']);
    assert.deepEqual(data(await ask('example.com')), ['192.0.2.1']);
    assert.equal(asked, 1);
  });
  it('answers over TCP', async () => {
    const packet = encode({ type: 'query', id: 9, flags: 256, questions: [question('web.default.svc.cluster.local', 'A')] });
    const answer = await new Promise<Buffer>((resolve) => {
      const socket = connect(server.boundPort, '127.0.0.1', () =>
        socket.write(Buffer.concat([Buffer.from([0, packet.length]), packet])),
      );
      socket.once('data', (chunk: Buffer) => {
        socket.destroy();
        resolve(chunk.subarray(2));
      });
    });
    assert.deepEqual(data(decode(answer) as Answered), ['10.43.0.5']);
  });
  it('is silent about garbage', async () => {
    client.send(Buffer.from('garbage'), server.boundPort, '127.0.0.1');
    assert.deepEqual(data(await ask('web.default.svc.cluster.local')), ['10.43.0.5']);
  });
});
