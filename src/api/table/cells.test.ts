import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cells, type Fields } from '../../../test/support/kinds.ts';
import type { Kind } from '../kind.ts';
import { ValidatingAdmissionPolicyBinding } from '../kinds/admissionregistration/validating-admission-policy-binding.ts';
import { HorizontalPodAutoscalerV2 } from '../kinds/autoscaling/horizontal-pod-autoscaler-v2.ts';
import { Event } from '../kinds/core/event.ts';
import { PersistentVolume } from '../kinds/core/persistent-volume.ts';
import { PersistentVolumeClaim } from '../kinds/core/persistent-volume-claim.ts';
import { EndpointSlice } from '../kinds/discovery/endpoint-slice.ts';
import { Ingress } from '../kinds/networking/ingress.ts';
import { NetworkPolicy } from '../kinds/networking/network-policy.ts';
import { apiVersionOf, type KubeObject } from '../meta.ts';

type AnyKind = Kind<KubeObject>;
const legacyClass = { annotations: { 'volume.beta.kubernetes.io/storage-class': 'old' } };
const matchExpressions = [
  { key: 'z', operator: 'In', values: ['b', 'a'] },
  { key: 'a', operator: 'DoesNotExist' },
];
const cpu = (current: object | undefined) => ({
  spec: { metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'AverageValue', averageValue: '2' } } }] },
  ...(current ? { status: { currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current } }] } } : {}),
});
const hosts = (...names: string[]) => ({ spec: { rules: names.map((host) => (host ? { host } : {})) } });

/** What a kube-apiserver 1.36.2 shows of such objects. */
const rows: readonly [string, AnyKind, Fields, string, unknown][] = [
  [
    'the old annotation of a claim goes before its class',
    PersistentVolumeClaim as AnyKind,
    { metadata: legacyClass, spec: { storageClassName: 'new' } },
    'StorageClass',
    'old',
  ],
  [
    'the old annotation of a volume goes before its class',
    PersistentVolume as AnyKind,
    { metadata: legacyClass, spec: {} },
    'StorageClass',
    'old',
  ],
  [
    'the annotation of an ingress is not its class',
    Ingress as AnyKind,
    { metadata: { annotations: { 'kubernetes.io/ingress.class': 'x' } } },
    'Class',
    '<none>',
  ],
  ['three hosts', Ingress as AnyKind, hosts('a', 'b', 'c'), 'Hosts', 'a,b,c'],
  ['a rule without host after three', Ingress as AnyKind, hosts('a', 'b', 'c', ''), 'Hosts', 'a,b,c + 1 more...'],
  ['a rule without host among three', Ingress as AnyKind, hosts('a', '', 'b', 'c'), 'Hosts', 'a,b,c'],
  ['no host', Ingress as AnyKind, hosts(''), 'Hosts', '*'],
  [
    'selectors are ordered by key',
    NetworkPolicy as AnyKind,
    { spec: { podSelector: { matchLabels: { k: 'v' }, matchExpressions } } },
    'Pod-Selector',
    '!a,k=v,z in (a,b)',
  ],
  ['no selector', NetworkPolicy as AnyKind, { spec: { podSelector: {} } }, 'Pod-Selector', '<none>'],
  ['what was not measured', HorizontalPodAutoscalerV2 as AnyKind, cpu(undefined), 'Targets', 'cpu: <unknown>/2'],
  [
    'what was measured otherwise',
    HorizontalPodAutoscalerV2 as AnyKind,
    cpu({ averageUtilization: 3 }),
    'Targets',
    'cpu: <nil>/2',
  ],
  ['what was measured', HorizontalPodAutoscalerV2 as AnyKind, cpu({ averageValue: '1' }), 'Targets', 'cpu: 1/2'],
  ['ports of no number, by name', EndpointSlice as AnyKind, { ports: [{ name: '' }, { name: 'b' }, {}] }, 'Ports', ',b,*'],
  ['a series of none', Event as AnyKind, { series: { lastObservedTime: '2026-11-21T00:00:00Z' }, count: 7 }, 'Count', 0],
  ['no series, no count', Event as AnyKind, {}, 'Count', 1],
  [
    'parameters that are selected',
    ValidatingAdmissionPolicyBinding as AnyKind,
    { spec: { paramRef: { selector: { matchLabels: { b: 'c' }, matchExpressions: [matchExpressions[0]] } } } },
    'ParamRef',
    '&LabelSelector{MatchLabels:map[string]string{b: c,},MatchExpressions:[]LabelSelectorRequirement{LabelSelectorRequirement{Key:z,Operator:In,Values:[b a],},},}',
  ],
];

describe('cells', () => {
  for (const [title, kind, fields, column, expected] of rows) {
    it(`${kind.kind}: ${title}`, () => {
      const object = { kind: kind.kind, apiVersion: apiVersionOf(kind), ...fields, metadata: { name: 'a', ...fields.metadata } };
      assert.equal(cells(kind, object as unknown as KubeObject)[column], expected);
    });
  }
});
