import type { Answer } from 'dns-packet';
import { type ClusterSource, clusterRecords, type Records } from '../cluster-records.ts';
import type { Handler, Reply } from '../handler.ts';

/** How long clients may keep records of the cluster; upstream's default. */
const ttlSeconds = 5;

/** Answers for the cluster's own zone and for reverse look-ups of service addresses. */
export function createClusterHandler(domain: string, source: ClusterSource): Handler {
  const zone = domain.toLowerCase();
  return ({ question }) => {
    const name = question.name.toLowerCase().replace(/\.$/, '');
    if (name === zone || name.endsWith(`.${zone}`)) {
      const labels = name === zone ? [] : name.slice(0, -zone.length - 1).split('.');
      return replyOf(name, question.type, clusterRecords(labels, zone, source), zone);
    }
    return question.type === 'PTR' ? reverse(name, zone, source) : undefined;
  };
}

function replyOf(name: string, type: string | undefined, records: Records | undefined, zone: string): Reply {
  if (!records) return { rcode: 'NXDOMAIN', authoritative: true, answers: [], authorities: [startOfAuthority(zone)] };
  const answers = answersOf(name, type, records);
  return {
    rcode: 'NOERROR',
    authoritative: true,
    answers,
    ...(answers.length === 0 ? { authorities: [startOfAuthority(zone)] } : {}),
  };
}

function answersOf(name: string, type: string | undefined, records: Records): Answer[] {
  if (records.cname !== undefined) return [{ type: 'CNAME', name, ttl: ttlSeconds, data: records.cname }];
  const any = type === 'ANY';
  return [
    ...(any || type === 'A' ? records.a.map((data): Answer => ({ type: 'A', name, ttl: ttlSeconds, data })) : []),
    ...(any || type === 'AAAA' ? records.aaaa.map((data): Answer => ({ type: 'AAAA', name, ttl: ttlSeconds, data })) : []),
    ...(any || type === 'SRV'
      ? records.srv.map(
          ({ target, port }): Answer => ({
            type: 'SRV',
            name,
            ttl: ttlSeconds,
            data: { priority: 0, weight: Math.floor(100 / records.srv.length), port, target },
          }),
        )
      : []),
  ];
}

function reverse(name: string, zone: string, source: ClusterSource): Reply | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\.in-addr\.arpa$/.exec(name);
  if (!match) return undefined;
  const service = source.serviceOfIp(match.slice(1).reverse().join('.'));
  if (!service) return undefined;
  const data = `${service.name}.${service.namespace}.svc.${zone}`;
  return { rcode: 'NOERROR', authoritative: true, answers: [{ type: 'PTR', name, ttl: ttlSeconds, data }] };
}

function startOfAuthority(zone: string): Answer {
  return {
    type: 'SOA',
    name: zone,
    ttl: ttlSeconds,
    data: {
      mname: `ns.dns.${zone}`,
      rname: `hostmaster.${zone}`,
      serial: 1,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: ttlSeconds,
    },
  };
}
