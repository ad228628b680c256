import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { texts } from '../../../../test/support/kinds.ts';
import type { ServiceSpec } from '../../../api/generated/types.ts';
import type { IpFamily } from '../../../api/validation/ip.ts';
import { settleFamilies } from './service-families.ts';

const one: readonly IpFamily[] = ['IPv4'];
const two: readonly IpFamily[] = ['IPv4', 'IPv6'];
const selector = { a: 'b' };
const ips = { clusterIP: '10.43.0.5', clusterIPs: ['10.43.0.5'] };
const both = { clusterIP: '10.43.0.5', clusterIPs: ['10.43.0.5', 'fd43::5'], ipFamilies: ['IPv4', 'IPv6'] };

/** `settled`: policy and families afterwards, or what is wrong. As a kube-apiserver 1.36.2 with the same families answers. */
const rows: readonly {
  title: string;
  families: readonly IpFamily[];
  spec: ServiceSpec;
  previous?: ServiceSpec;
  settled: readonly [string, ...string[]];
}[] = [
  { title: 'nothing said', families: two, spec: {}, settled: ['SingleStack', 'IPv4'] },
  {
    title: 'an address says its family',
    families: two,
    spec: { clusterIP: 'fd43::5', clusterIPs: ['fd43::5'] },
    settled: ['SingleStack', 'IPv6'],
  },
  {
    title: 'two preferred, one there',
    families: one,
    spec: { ipFamilyPolicy: 'PreferDualStack' },
    settled: ['PreferDualStack', 'IPv4'],
  },
  {
    title: 'two preferred, two there',
    families: two,
    spec: { ipFamilyPolicy: 'PreferDualStack', ipFamilies: ['IPv6'] },
    settled: ['PreferDualStack', 'IPv6', 'IPv4'],
  },
  {
    title: 'headless without selector may have both',
    families: one,
    spec: { clusterIP: 'None', clusterIPs: ['None'] },
    settled: ['RequireDualStack', 'IPv4', 'IPv6'],
  },
  {
    title: 'headless with selector',
    families: one,
    spec: { clusterIP: 'None', clusterIPs: ['None'], selector },
    settled: ['SingleStack', 'IPv4'],
  },
  {
    title: 'two families need a policy',
    families: two,
    spec: { ipFamilies: ['IPv4', 'IPv6'] },
    settled: [
      "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
    ],
  },
  {
    title: 'two required, one there',
    families: one,
    spec: { ipFamilyPolicy: 'RequireDualStack' },
    settled: ['spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services'],
  },
  {
    title: 'an address of a family that is not there',
    families: one,
    spec: { clusterIP: 'fd43::5', clusterIPs: ['fd43::5'] },
    settled: ['spec.clusterIPs[0]: Invalid value: ["fd43::5"]: IPv6 is not configured on this cluster'],
  },
  {
    title: 'an address that is none comes before all else',
    families: one,
    spec: { clusterIP: 'x', clusterIPs: ['x'], ipFamilyPolicy: 'RequireDualStack' },
    settled: ['spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
  },
  {
    title: 'one wanted after two',
    families: two,
    spec: { ...both, ipFamilyPolicy: 'SingleStack' },
    previous: { ...both, ipFamilyPolicy: 'RequireDualStack' },
    settled: ['SingleStack', 'IPv4'],
  },
  {
    title: 'no policy keeps that of before',
    families: two,
    spec: { ...ips, ipFamilies: ['IPv4'] },
    previous: { ...ips, ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' },
    settled: ['SingleStack', 'IPv4'],
  },
  {
    title: 'the second is not given up by leaving it out',
    families: two,
    spec: { ...both, clusterIPs: ['10.43.0.5'], ipFamilyPolicy: 'PreferDualStack' },
    previous: { ...both, ipFamilyPolicy: 'RequireDualStack' },
    settled: [
      'spec.ipFamilyPolicy: Invalid value: "PreferDualStack": must be \'SingleStack\' to release the secondary cluster IP',
    ],
  },
  {
    title: 'who prefers two keeps one when the cluster gets two',
    families: two,
    spec: { ...ips, type: 'ClusterIP', ipFamilies: ['IPv4'], ipFamilyPolicy: 'PreferDualStack' },
    previous: { ...ips, type: 'ClusterIP', ipFamilies: ['IPv4'], ipFamilyPolicy: 'PreferDualStack' },
    settled: ['PreferDualStack', 'IPv4'],
  },
];

describe('families of a Service', () => {
  for (const { title, families, spec: given, previous, settled } of rows) {
    it(title, () => {
      const spec = structuredClone(given);
      const errors = texts(settleFamilies(spec, previous, families));
      assert.deepEqual(errors.length > 0 ? errors : [spec.ipFamilyPolicy, ...(spec.ipFamilies ?? [])], settled);
    });
  }
});
