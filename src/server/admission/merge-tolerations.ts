import type { Toleration } from '../../api/generated/types.ts';
import { semanticEqual } from '../../api/validation/equal.ts';

/** Without those that another one of the list includes; of equal ones the first stays. kubernetes: pkg/util/tolerations (MergeTolerations). */
export function mergeTolerations(all: readonly Toleration[]): Toleration[] {
  const merged: Toleration[] = [];
  all.forEach((toleration, i) => {
    const isKnown = merged.some((other) => includes(other, toleration));
    const comes = all.slice(i + 1).some((other) => !semanticEqual(other, toleration) && includes(other, toleration));
    if (!isKnown && !comes) merged.push(toleration);
  });
  return merged;
}

/** Whether all that `b` tolerates is tolerated by `a`, at least as long. */
function includes(a: Toleration, b: Toleration): boolean {
  if (semanticEqual(a, b)) return true;
  const isEveryKey = !a.key && a.operator === 'Exists';
  if ((a.key ?? '') !== (b.key ?? '') && !isEveryKey) return false;
  if (a.effect && a.effect !== b.effect) return false;
  if (a.effect === 'NoExecute' && a.tolerationSeconds !== undefined) {
    if (b.tolerationSeconds === undefined || b.tolerationSeconds > a.tolerationSeconds) return false;
  }
  return a.operator === 'Exists' || (b.operator === 'Equal' && (a.value ?? '') === (b.value ?? ''));
}
