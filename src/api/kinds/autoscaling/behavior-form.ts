import type * as t from '../../generated/types.ts';

/** The behavior as autoscaling/v1 writes it into an annotation: upstream's own structs, with all their fields, under their names. */
export function behaviorText({ scaleUp, scaleDown }: t.HorizontalPodAutoscalerBehaviorV2): string {
  return JSON.stringify({ ScaleUp: rulesForm(scaleUp), ScaleDown: rulesForm(scaleDown) });
}

function rulesForm(rules: t.HPAScalingRulesV2 | undefined): object | null {
  if (!rules) return null;
  const { stabilizationWindowSeconds, selectPolicy, policies, tolerance } = rules;
  return {
    StabilizationWindowSeconds: stabilizationWindowSeconds ?? null,
    SelectPolicy: selectPolicy ?? null,
    Policies:
      policies?.map(({ type, value, periodSeconds }) => ({ Type: type, Value: value, PeriodSeconds: periodSeconds })) ?? null,
    Tolerance: tolerance ?? null,
  };
}

/** Names of either form; no value says nothing. Throws a SyntaxError when the text is not JSON. */
export function parseBehavior(text: string): t.HorizontalPodAutoscalerBehaviorV2 {
  return JSON.parse(text, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    const fields = Object.entries(value).filter(([, content]) => content !== null);
    return Object.fromEntries(fields.map(([name, content]) => [name.charAt(0).toLowerCase() + name.slice(1), content]));
  });
}
