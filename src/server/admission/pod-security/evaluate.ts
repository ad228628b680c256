import { baselineChecks } from './baseline-checks.ts';
import type { PodView, Violation } from './pod-view.ts';
import type { LevelVersion } from './policy.ts';
import { restrictedChecks } from './restricted-checks.ts';

/** What in a pod breaks a standard (kubernetes.io/docs/concepts/security/pod-security-standards), baseline rules first. */
export function violations(pod: PodView, { level, minor }: LevelVersion): Violation[] {
  if (level === 'privileged') return [];
  const stricter = level === 'restricted' ? restrictedChecks.filter((check) => check.since <= minor) : [];
  const replaced = new Set(stricter.map((check) => check.replaces));
  const base = baselineChecks.filter((check) => check.since <= minor && !replaced.has(check.id));
  return [...base, ...stricter].map((check) => check.run(pod, minor)).filter((v) => v !== undefined);
}

/** `reason (detail), reason (detail)` */
export const violationText = (found: readonly Violation[]): string =>
  found.map(({ reason, detail }) => (detail ? `${reason} (${detail})` : reason)).join(', ');
