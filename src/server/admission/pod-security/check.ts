import type { PodView, Violation } from './pod-view.ts';

/** One rule of a standard. */
export interface Check {
  readonly id: string;
  /** The minor version of Kubernetes 1 that brought it. */
  readonly since: number;
  /** A check of the baseline standard this one replaces. */
  readonly replaces?: string;
  run(pod: PodView, minor: number): Violation | undefined;
}
