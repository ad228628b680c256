import { lookup } from '../../lib/lookup.ts';
import type { LabelSelector, NodeSelectorTerm } from '../generated/types.ts';
import { formatIp, isNetworkAddress, parseCidr, parseIp } from './ip.ts';
import { dns1123Label, labelValue } from './names.ts';
import { keyed, nanos } from './quantities.ts';

/** Parts of warnings that several kinds give. They push what they find, like the checks. */

const deprecatedNodeLabels: Readonly<Record<string, string>> = lookup({
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
  'app.kubernetes.io/created-by': 'deprecated since v1.9',
  'scheduler.alpha.kubernetes.io/preferAvoidPods': 'deprecated since v1.22; use Taints and Tolerations instead',
  'node-role.kubernetes.io/master': 'use "node-role.kubernetes.io/control-plane" instead',
});

/** What is wrong with using a label of nodes, if anything. */
export const nodeLabelAdvice = (label: string): string | undefined =>
  Object.hasOwn(deprecatedNodeLabels, label) ? deprecatedNodeLabels[label] : undefined;

/** Old labels in the terms of a node affinity; values, too, where validation lets all pass. */
export function warnOfTerm(warnings: string[], at: string, term: NodeSelectorTerm | undefined, checksValues = false): void {
  term?.matchExpressions?.forEach(({ key, values = [] }, i) => {
    warnOfKey(warnings, `${at}.matchExpressions[${i}]`, key);
    if (!checksValues) return;
    values.forEach((value, v) => {
      for (const problem of labelValue(value)) {
        warnings.push(`${at}.matchExpressions[${i}].values[${v}]: ${value} is invalid, ${problem}`);
      }
    });
  });
}

/** Old labels in a selector of nodes. */
export function warnOfNodeSelector(warnings: string[], at: string, selector: LabelSelector | undefined): void {
  selector?.matchExpressions?.forEach(({ key }, i) => {
    warnOfKey(warnings, `${at}.matchExpressions[${i}]`, key);
  });
  for (const label in selector?.matchLabels) {
    const advice = nodeLabelAdvice(label);
    if (advice) warnings.push(`${at}.matchLabels.${label}: ${advice}`);
  }
}

function warnOfKey(warnings: string[], at: string, key: string): void {
  const advice = nodeLabelAdvice(key);
  if (advice) warnings.push(`${at}.key: ${key} is ${advice}`);
}

/** Names of workloads become host names. */
export function warnOfName(warnings: string[], name: string | undefined, use: string): void {
  const problems = name ? dns1123Label(name) : [];
  if (problems.length === 0) return;
  const why = `this is used in ${use}, which can result in surprising behavior; a DNS label is recommended`;
  warnings.push(`metadata.name: ${why}: [${problems.join(' ')}]`);
}

/** Bytes come whole. */
export function warnOfFraction(
  warnings: string[],
  at: string,
  amounts: Readonly<Record<string, string>> | undefined,
  resources: readonly string[],
): void {
  for (const resource of resources) {
    const amount = amounts?.[resource];
    if (amount === undefined || nanos(amount) % 1_000_000_000n === 0n) continue;
    warnings.push(`${keyed(at, resource)}: fractional byte value ${JSON.stringify(amount)} is invalid, must be an integer`);
  }
}

/** An address that is written in another way than others write it. */
export function warnOfIp(warnings: string[], at: string, text: string | undefined): void {
  const ip = text ? parseIp(text) : undefined;
  if (!ip || !text?.includes(':')) return;
  const canonical = formatIp(ip);
  if (ip.family === 'IPv4') warnings.push(`${at}: non-standard IP address "${text}" is invalid: use "${canonical}"`);
  else if (canonical !== text) {
    warnings.push(`${at}: IPv6 address "${text}" should be in RFC 5952 canonical format ("${canonical}")`);
  }
}

/** A block of addresses that is written in another way than others write it, or that may be meant as a single address. */
export function warnOfCidr(warnings: string[], at: string, text: string | undefined): void {
  const cidr = text ? parseCidr(text) : undefined;
  if (!cidr) return;
  const bits = cidr.family === 'IPv4' ? 32 : 128;
  const mask = 1n << BigInt(bits - cidr.prefix);
  const block = `${formatIp({ family: cidr.family, value: cidr.value - (cidr.value % mask) })}/${cidr.prefix}`;
  if (!isNetworkAddress(cidr)) {
    const single = `${formatIp(cidr)}/${bits}`;
    warnings.push(`${at}: CIDR value "${text}" is ambiguous in this context (should be "${block}" or "${single}"?)`);
  } else if (cidr.family === 'IPv6' && block !== text) {
    warnings.push(`${at}: IPv6 CIDR value "${text}" should be in RFC 5952 canonical format ("${block}")`);
  }
}
