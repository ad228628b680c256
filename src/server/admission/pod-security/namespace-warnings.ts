import type { Pod } from '../../../api/generated/types.ts';
import { violations } from './evaluate.ts';
import type { PodView } from './pod-view.ts';
import { type LevelVersion, levelText } from './policy.ts';

/** Pods of a namespace that are looked at when its level changes. */
const maxPodsToCheck = 3000;

/** What to tell somebody who makes a namespace stricter: its pods that would no longer be let in. They stay. */
export function namespaceWarnings(namespace: string, pods: readonly Pod[], enforce: LevelVersion): string[] {
  const checked = oneOfEachController(pods).slice(0, maxPodsToCheck);
  const byReason = new Map<string, string[]>();
  for (const pod of checked) {
    if (!pod.spec) continue;
    const reason = violations(pod as PodView, enforce)
      .map((v) => v.reason)
      .join(', ');
    if (reason) byReason.set(reason, [...(byReason.get(reason) ?? []), pod.metadata.name]);
  }
  const warnings: string[] = [];
  if (checked.length < pods.length)
    warnings.push(
      `new PodSecurity enforce level only checked against the first ${checked.length} of ${pods.length} existing pods`,
    );
  if (byReason.size > 0)
    warnings.push(`existing pods in namespace "${namespace}" violate the new PodSecurity enforce level "${levelText(enforce)}"`);
  return [...warnings, ...[...byReason].map(([reason, names]) => `${podsText(names)}: ${reason}`).sort()];
}

/** Pods without a controller and the first of each controller come first: replicas are alike. */
function oneOfEachController(pods: readonly Pod[]): Pod[] {
  const seen = new Set<string>();
  const first: Pod[] = [];
  const alike: Pod[] = [];
  for (const pod of pods) {
    const controller = pod.metadata.ownerReferences?.find((owner) => owner.controller)?.uid;
    (controller !== undefined && seen.has(controller) ? alike : first).push(pod);
    if (controller !== undefined) seen.add(controller);
  }
  return [...first, ...alike];
}

function podsText(names: string[]): string {
  const [name] = names.sort();
  if (names.length === 1) return name!;
  return `${name} (and ${names.length - 1} other ${names.length === 2 ? 'pod' : 'pods'})`;
}
