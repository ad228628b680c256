import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkEach, checkEnum, checkGiven, checkPositive, checkText } from '../../validation/checks.ts';
import { duplicate, forbidden, invalid, notSupported, required } from '../../validation/errors.ts';
import { checkLabelSelector } from '../../validation/labels.ts';
import { dns1123Label, dns1123Subdomain, labelValue, qualifiedName } from '../../validation/names.ts';

export const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** Affinity of a pod to nodes and to other pods. */
export function checkAffinity(errors: FieldError[], at: string, affinity: t.Affinity | undefined): void {
  if (!affinity) return;
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity;
  if (nodeAffinity) checkNodeAffinity(errors, `${at}.nodeAffinity`, nodeAffinity);
  if (podAffinity) checkPodTerms(errors, `${at}.podAffinity`, podAffinity);
  if (podAntiAffinity) checkPodTerms(errors, `${at}.podAntiAffinity`, podAntiAffinity);
}

function checkNodeAffinity(errors: FieldError[], at: string, affinity: t.NodeAffinity): void {
  const { requiredDuringSchedulingIgnoredDuringExecution: must, preferredDuringSchedulingIgnoredDuringExecution: should } =
    affinity;
  if (must) checkNodeSelector(errors, `${at}.requiredDuringSchedulingIgnoredDuringExecution`, must);
  should?.forEach((term, i) => {
    const field = `${at}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
    checkWeight(errors, `${field}.weight`, term.weight);
    checkNodeSelectorTerm(errors, `${field}.preference`, term.preference ?? {}, false);
  });
}

function checkWeight(errors: FieldError[], field: string, weight: number | undefined): void {
  if (!weight || weight < 0 || weight > 100) errors.push(invalid(field, weight ?? 0, 'must be in the range 1-100'));
}

/** A node selector with at least one term. */
export function checkNodeSelector(errors: FieldError[], at: string, selector: t.NodeSelector): void {
  const terms = selector.nodeSelectorTerms ?? [];
  if (terms.length === 0) {
    errors.push(required(`${at}.nodeSelectorTerms`, 'must have at least one node selector term'));
  }
  terms.forEach((term, i) => {
    checkNodeSelectorTerm(errors, `${at}.nodeSelectorTerms[${i}]`, term, true);
  });
}

/** `strict`: values must be label values; preferred terms may hold others. */
function checkNodeSelectorTerm(errors: FieldError[], at: string, term: t.NodeSelectorTerm, strict: boolean): void {
  term.matchExpressions?.forEach((requirement, i) => {
    checkNodeRequirement(errors, `${at}.matchExpressions[${i}]`, requirement, strict);
  });
  term.matchFields?.forEach((requirement, i) => {
    checkFieldRequirement(errors, `${at}.matchFields[${i}]`, requirement);
  });
}

function checkNodeRequirement(errors: FieldError[], at: string, rule: t.NodeSelectorRequirement, strict: boolean): void {
  const values = rule.values ?? [];
  switch (rule.operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0) {
        errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
      }
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) {
        errors.push(forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
      }
      break;
    case 'Gt':
    case 'Lt':
      if (values.length !== 1) {
        errors.push(required(`${at}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
      }
      break;
    default:
      errors.push(invalid(`${at}.operator`, rule.operator ?? '', 'not a valid selector operator'));
  }
  for (const problem of qualifiedName(rule.key ?? '')) errors.push(invalid(`${at}.key`, rule.key ?? '', problem));
  if (strict) checkEach(errors, `${at}.values`, values, labelValue);
}

function checkFieldRequirement(errors: FieldError[], at: string, rule: t.NodeSelectorRequirement): void {
  const values = rule.values ?? [];
  if (rule.operator !== 'In' && rule.operator !== 'NotIn') {
    errors.push(invalid(`${at}.operator`, rule.operator ?? '', 'not a valid selector operator'));
  } else if (values.length !== 1) {
    const detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
    errors.push(required(`${at}.values`, detail));
  }
  if (rule.key !== 'metadata.name') errors.push(invalid(`${at}.key`, rule.key ?? '', 'not a valid field selector key'));
  else checkEach(errors, `${at}.values`, values, dns1123Subdomain);
}

function checkPodTerms(errors: FieldError[], at: string, affinity: t.PodAffinity | t.PodAntiAffinity): void {
  const { requiredDuringSchedulingIgnoredDuringExecution: must, preferredDuringSchedulingIgnoredDuringExecution: should } =
    affinity;
  must?.forEach((term, i) => {
    checkPodTerm(errors, `${at}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`, term);
  });
  should?.forEach(({ weight, podAffinityTerm }, i) => {
    const field = `${at}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
    checkWeight(errors, `${field}.weight`, weight);
    checkPodTerm(errors, `${field}.podAffinityTerm`, podAffinityTerm ?? { topologyKey: '' });
  });
}

function checkPodTerm(errors: FieldError[], at: string, term: t.PodAffinityTerm): void {
  checkLabelSelector(errors, `${at}.labelSelector`, term.labelSelector);
  checkLabelSelector(errors, `${at}.namespaceSelector`, term.namespaceSelector);
  for (const namespace of term.namespaces ?? []) checkGiven(errors, `${at}.namespace`, namespace, dns1123Label);
  checkLabelKeys(errors, at, term);
  if (!term.topologyKey) errors.push(required(`${at}.topologyKey`, 'can not be empty'));
  for (const problem of qualifiedName(term.topologyKey ?? '')) {
    errors.push(invalid(`${at}.topologyKey`, term.topologyKey ?? '', problem));
  }
}

type KeyedTerm = Pick<t.PodAffinityTerm, 'labelSelector' | 'matchLabelKeys' | 'mismatchLabelKeys'>;

/** Keys whose values are taken from the pod; a selector must be there for them to add to. */
function checkLabelKeys(errors: FieldError[], at: string, term: KeyedTerm): void {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = term;
  for (const [field, keys] of [
    ['matchLabelKeys', matchLabelKeys],
    ['mismatchLabelKeys', mismatchLabelKeys],
  ] as const) {
    if (keys.length > 0 && !labelSelector) {
      errors.push(forbidden(`${at}.${field}`, 'must not be specified when labelSelector is not set'));
    } else checkEach(errors, `${at}.${field}`, keys, qualifiedName);
  }
  const selected = new Set(Object.keys(labelSelector?.matchLabels ?? {}));
  for (const { key } of labelSelector?.matchExpressions ?? []) {
    const i = matchLabelKeys.indexOf(key);
    if (i >= 0 && selected.has(key)) errors.push(invalid(`${at}[${i}]`, key, 'exists in both matchLabelKeys and labelSelector'));
    selected.add(key);
  }
  matchLabelKeys.forEach((key, i) => {
    if (mismatchLabelKeys.includes(key)) {
      errors.push(invalid(`${at}.matchLabelKeys[${i}]`, key, 'exists in both matchLabelKeys and mismatchLabelKeys'));
    }
  });
}

/** Tolerations of a pod or a RuntimeClass. */
export function checkTolerations(errors: FieldError[], field: string, tolerations: readonly t.Toleration[] | undefined): void {
  tolerations?.forEach((toleration, i) => {
    checkToleration(errors, `${field}[${i}]`, toleration);
  });
}

function checkToleration(errors: FieldError[], at: string, toleration: t.Toleration): void {
  const { key, operator = '', value = '', effect = '', tolerationSeconds } = toleration;
  checkText(errors, `${at}.key`, key, qualifiedName);
  if (!key && operator !== 'Exists') {
    const detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    errors.push(invalid(`${at}.operator`, operator, detail));
  }
  if (tolerationSeconds !== undefined && tolerationSeconds !== null && effect !== 'NoExecute') {
    errors.push(invalid(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
  }
  if (operator === '' || operator === 'Equal') {
    const problems = labelValue(value);
    if (problems.length > 0) errors.push(invalid(`${at}.operator`, value, problems.join(';')));
  } else if (operator === 'Exists') {
    if (value) errors.push(invalid(`${at}.operator`, value, "value must be empty when `operator` is 'Exists'"));
  } else errors.push(notSupported(`${at}.operator`, operator, ['Equal', 'Exists']));
  if (effect) checkEnum(errors, `${at}.effect`, effect, taintEffects);
}

/** How pods spread over zones and nodes. */
export function checkTopologySpread(errors: FieldError[], field: string, list: readonly t.TopologySpreadConstraint[]): void {
  const keyOf = (c: t.TopologySpreadConstraint): string => `${c.whenUnsatisfiable}/${c.topologyKey}`;
  const last = new Map(list.map((constraint, i) => [keyOf(constraint), i]));
  list.forEach((constraint, i) => {
    const at = `${field}[${i}]`;
    const { whenUnsatisfiable, topologyKey, minDomains } = constraint;
    checkPositive(errors, `${at}.maxSkew`, constraint.maxSkew ?? 0);
    if (!topologyKey) errors.push(required(`${at}.topologyKey`, 'can not be empty'));
    checkEnum(errors, `${at}.whenUnsatisfiable`, whenUnsatisfiable ?? '', ['DoNotSchedule', 'ScheduleAnyway']);
    if (last.get(keyOf(constraint))! > i) {
      errors.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${whenUnsatisfiable}}`));
    }
    checkPositive(errors, `${at}.minDomains`, minDomains);
    if (minDomains !== undefined && whenUnsatisfiable !== 'DoNotSchedule') {
      const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
      errors.push(invalid(`${at}.minDomains`, minDomains, detail));
    }
    checkEnum(errors, `${at}.nodeAffinityPolicy`, constraint.nodeAffinityPolicy, ['Honor', 'Ignore']);
    checkEnum(errors, `${at}.nodeTaintsPolicy`, constraint.nodeTaintsPolicy, ['Honor', 'Ignore']);
    checkLabelKeys(errors, at, constraint);
    checkLabelSelector(errors, `${at}.labelSelector`, constraint.labelSelector);
  });
}

/** Conditions that must hold before a pod is ready. */
export function checkReadinessGates(errors: FieldError[], field: string, gates: readonly t.PodReadinessGate[]): void {
  gates.forEach((gate, i) => {
    checkGiven(errors, `${field}[${i}].conditionType`, gate.conditionType ?? '', qualifiedName);
  });
}

/** Names of what must happen before a pod is scheduled. */
export function checkSchedulingGates(errors: FieldError[], field: string, gates: readonly t.PodSchedulingGate[]): void {
  const seen = new Set<string>();
  gates.forEach(({ name }, i) => {
    for (const problem of qualifiedName(name ?? '')) errors.push(invalid(`${field}[${i}]`, name ?? '', problem));
    if (seen.has(name)) errors.push(duplicate(`${field}[${i}]`, name));
    seen.add(name);
  });
}
