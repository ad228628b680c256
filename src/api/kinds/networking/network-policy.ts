import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { checkEnum, checkGiven, checkPort } from '../../validation/checks.ts';
import { forbidden, invalid, notSupported, required } from '../../validation/errors.ts';
import { checkCidr, cidrContains, parseCidr } from '../../validation/ip.ts';
import { checkLabelSelector } from '../../validation/labels.ts';
import { portName } from '../../validation/names.ts';
import { warnOfCidr } from '../../validation/warnings.ts';
import { counted } from '../strategy.ts';
import { selectorText } from '../template-columns.ts';

export type NetworkPolicy = t.NetworkPolicy;
export const NetworkPolicy = defineKind<NetworkPolicy>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  shortNames: ['netpol'],
  scope: 'Namespaced',
  applyDefaults(policy) {
    const spec = (policy.spec ??= {});
    spec.podSelector ??= {};
    if (!spec.policyTypes?.length) spec.policyTypes = spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress'];
    for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
      for (const port of rule.ports ?? []) port.protocol ??= 'TCP';
    }
  },
  ...counted,
  validate: validatePolicy,
  warnings({ spec = {} }) {
    const warnings: string[] = [];
    const warn = (at: string, block: t.IPBlock | undefined): void => {
      warnOfCidr(warnings, `${at}.ipBlock.cidr`, block?.cidr);
      block?.except?.forEach((cidr, i) => {
        warnOfCidr(warnings, `${at}.ipBlock.except[${i}]`, cidr);
      });
    };
    for (const [i, { from = [] }] of (spec.ingress ?? []).entries()) {
      for (const [j, { ipBlock }] of from.entries()) warn(`spec.ingress[${i}].from[${j}]`, ipBlock);
    }
    for (const [i, { to = [] }] of (spec.egress ?? []).entries()) {
      for (const [j, { ipBlock }] of to.entries()) warn(`spec.egress[${i}].to[${j}]`, ipBlock);
    }
    return warnings;
  },
  columns: [
    nameColumn,
    { name: 'Pod-Selector', type: 'string', cell: (policy) => selectorText(policy.spec?.podSelector) },
    ageColumn,
  ],
});

/** kubernetes: pkg/apis/networking/validation/validation.go. */
function validatePolicy({ spec = {} }: NetworkPolicy): FieldError[] {
  const errors: FieldError[] = [];
  checkLabelSelector(errors, 'spec.podSelector', spec.podSelector);
  spec.ingress?.forEach((rule, i) => {
    checkRule(errors, `spec.ingress[${i}]`, { ports: rule.ports, peers: rule.from, peersField: 'from' });
  });
  spec.egress?.forEach((rule, i) => {
    checkRule(errors, `spec.egress[${i}]`, { ports: rule.ports, peers: rule.to, peersField: 'to' });
  });
  const types = spec.policyTypes ?? [];
  if (types.length > 2) errors.push(invalid('spec.policyTypes', types, 'may not specify more than two policyTypes'));
  types.forEach((type, i) => {
    if (type === 'Ingress' || type === 'Egress') return;
    errors.push(notSupported(`spec.policyTypes[${i}]`, type, ['Ingress', 'Egress']));
  });
  return errors;
}

interface Rule {
  readonly ports: readonly t.NetworkPolicyPort[] | undefined;
  readonly peers: readonly t.NetworkPolicyPeer[] | undefined;
  readonly peersField: 'from' | 'to';
}

function checkRule(errors: FieldError[], at: string, { ports, peers, peersField }: Rule): void {
  ports?.forEach((port, i) => {
    checkPolicyPort(errors, `${at}.ports[${i}]`, port);
  });
  peers?.forEach((peer, i) => {
    checkPeer(errors, `${at}.${peersField}[${i}]`, peer);
  });
}

function checkPolicyPort(errors: FieldError[], at: string, { protocol, port, endPort }: t.NetworkPolicyPort): void {
  checkEnum(errors, `${at}.protocol`, protocol, ['TCP', 'UDP', 'SCTP']);
  if (typeof port === 'number') {
    checkPort(errors, `${at}.port`, port);
    if (endPort === undefined) return;
    if (endPort < port) errors.push(invalid(`${at}.endPort`, port, 'must be greater than or equal to `port`'));
    checkPort(errors, `${at}.endPort`, endPort);
  } else if (port !== undefined) {
    if (endPort !== undefined) {
      errors.push(invalid(`${at}.endPort`, endPort, 'may not be specified when `port` is non-numeric'));
    }
    checkGiven(errors, `${at}.port`, port, portName);
  } else if (endPort !== undefined) {
    errors.push(invalid(`${at}.endPort`, endPort, 'may not be specified when `port` is not specified'));
  }
}

function checkPeer(errors: FieldError[], at: string, { podSelector, namespaceSelector, ipBlock }: t.NetworkPolicyPeer): void {
  checkLabelSelector(errors, `${at}.podSelector`, podSelector);
  checkLabelSelector(errors, `${at}.namespaceSelector`, namespaceSelector);
  if (!ipBlock) {
    if (!podSelector && !namespaceSelector) errors.push(required(at, 'must specify a peer'));
    return;
  }
  if (podSelector || namespaceSelector) errors.push(forbidden(at, 'may not specify both ipBlock and another peer'));
  checkBlock(errors, `${at}.ipBlock`, ipBlock);
}

function checkBlock(errors: FieldError[], at: string, { cidr, except = [] }: t.IPBlock): void {
  if (!cidr) {
    errors.push(required(`${at}.cidr`));
    return;
  }
  checkCidr(errors, `${at}.cidr`, cidr);
  const outer = parseCidr(cidr);
  except.forEach((text, i) => {
    const field = `${at}.except[${i}]`;
    const inner = parseCidr(text);
    if (!inner) checkCidr(errors, field, text || '?');
    else if (outer && (!cidrContains(outer, inner) || inner.prefix === outer.prefix)) {
      errors.push(invalid(field, text, 'must be a strict subset of `cidr`'));
    }
  });
}
