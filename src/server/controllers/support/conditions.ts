/** What all conditions of the API have in common. */
export interface ConditionLike {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

/** The condition of a type. */
export function conditionOf<C extends ConditionLike>(conditions: readonly C[] | undefined, type: string): C | undefined {
  return conditions?.find((c) => c.type === type);
}

/**
 * The conditions with `next` in the place of the one of its type (or at the end). When the status stays the same its transition time is
 * kept; when status, reason and message stay the same the list itself is returned.
 */
export function withCondition<C extends ConditionLike>(conditions: readonly C[] | undefined, next: C): readonly C[] {
  const before = conditionOf(conditions, next.type);
  if (before?.status === next.status && before.reason === next.reason && before.message === next.message) return conditions ?? [];
  const lastTransitionTime = before?.status === next.status ? before.lastTransitionTime : next.lastTransitionTime;
  const merged = lastTransitionTime === undefined ? next : { ...next, lastTransitionTime };
  return before ? (conditions ?? []).map((c) => (c === before ? merged : c)) : [...(conditions ?? []), merged];
}

/** The conditions without those of a type. */
export function withoutCondition<C extends ConditionLike>(conditions: readonly C[] | undefined, type: string): readonly C[] {
  return (conditions ?? []).filter((c) => c.type !== type);
}
