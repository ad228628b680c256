import type * as t from '../../generated/types.ts';
import type { KubeObject } from '../../meta.ts';
import { templateWarnings } from '../core/pod-warnings.ts';

const manyCompletions = 100_000;
const manyAtOnce = 10_000;

/** Warnings for the spec of a Job, also inside a CronJob. kubernetes: pkg/api/job/warnings.go. */
export function jobSpecWarnings(
  object: KubeObject,
  previous: KubeObject | undefined,
  at: string,
  spec: t.JobSpec | undefined,
): string[] {
  const warnings = templateWarnings(object, previous, { at: `${at}.template`, template: spec?.template, namesPods: true });
  const changed = !previous || previous.metadata.generation !== object.metadata.generation;
  const isHuge = (spec?.completions ?? 0) > manyCompletions && (spec?.parallelism ?? 0) > manyAtOnce;
  if (changed && spec?.completionMode === 'Indexed' && isHuge) {
    const detail =
      'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail';
    warnings.push(`${at}: ${detail}`);
  }
  return warnings;
}
