import { defineKind } from '../../define-kind.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn, none } from '../../table/columns.ts';
import { countedWithStatus } from '../strategy.ts';
import { statusSubresource } from '../subresources.ts';
import { classAnnotation, validateIngress, validateIngressStatus } from './ingress-validation.ts';

const shownHosts = 3;

export type Ingress = t.Ingress;
export const Ingress = defineKind<Ingress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  shortNames: ['ing'],
  scope: 'Namespaced',
  subresources: [statusSubresource],
  applyDefaults(ingress) {
    ingress.spec ??= {};
  },
  prepareForCreate(ingress, context) {
    countedWithStatus.prepareForCreate(ingress, context);
    ingress.status = { loadBalancer: {} };
  },
  prepareForUpdate: countedWithStatus.prepareForUpdate,
  validate: validateIngress,
  validateStatusUpdate: validateIngressStatus,
  warnings({ metadata, spec }, previous) {
    if (previous || metadata.annotations?.[classAnnotation] === undefined || spec?.ingressClassName !== undefined) return [];
    return [`annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`];
  },
  columns: [
    nameColumn,
    { name: 'Class', type: 'string', cell: ({ spec }) => spec?.ingressClassName ?? none },
    { name: 'Hosts', type: 'string', cell: hostsText },
    { name: 'Address', type: 'string', cell: addressText },
    { name: 'Ports', type: 'string', cell: (ingress) => (ingress.spec?.tls?.length ? '80, 443' : '80') },
    ageColumn,
  ],
});

function hostsText({ spec }: Ingress): string {
  const rules = spec?.rules ?? [];
  const hosts: string[] = [];
  for (const { host } of rules) {
    // A rule after the third host counts, whether it has a host of its own or not.
    if (hosts.length === shownHosts) return `${hosts.join(',')} + ${rules.length - shownHosts} more...`;
    if (host) hosts.push(host);
  }
  return hosts.join(',') || '*';
}

function addressText({ status }: Ingress): string {
  const addresses = (status?.loadBalancer?.ingress ?? []).map((i) => i.ip || i.hostname || '').filter(Boolean);
  return [...new Set(addresses)].sort().join(',');
}
