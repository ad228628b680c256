import type { Taint, Toleration } from './generated/types.ts';

/** True when the toleration covers the taint; an empty key with Exists covers all, an absent effect every effect. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  const value = taint.value ?? '';
  switch (toleration.operator || 'Equal') {
    case 'Exists':
      return true;
    case 'Equal':
      return Boolean(toleration.key) && (toleration.value ?? '') === value;
    case 'Lt':
      return compareNumbers(value, toleration.value, (a, b) => a < b);
    case 'Gt':
      return compareNumbers(value, toleration.value, (a, b) => a > b);
    default:
      return false;
  }
}

function compareNumbers(a: string, b: string | undefined, compare: (a: number, b: number) => boolean): boolean {
  const whole = /^-?\d+$/;
  return whole.test(a) && whole.test(b ?? '') && compare(Number(a), Number(b));
}

/** The first taint of one of the effects that none of the tolerations covers. */
export function untoleratedTaint(
  taints: readonly Taint[] | undefined,
  tolerations: readonly Toleration[] | undefined,
  effects: readonly string[],
): Taint | undefined {
  return taints?.find((taint) => effects.includes(taint.effect) && !tolerations?.some((t) => tolerates(t, taint)));
}
