import type * as t from '../generated/types.ts';
import type { Column } from '../kind.ts';
import { none } from '../table/columns.ts';

/** `name,name` and `image,image` of a template, as -o wide shows them. */
export function templateColumns<T>(template: (object: T) => t.PodTemplateSpec | undefined): Column<T>[] {
  const containers = (object: T): readonly t.Container[] => template(object)?.spec?.containers ?? [];
  return [
    {
      name: 'Containers',
      type: 'string',
      priority: 1,
      cell: (object) =>
        containers(object)
          .map((c) => c.name)
          .join(','),
    },
    {
      name: 'Images',
      type: 'string',
      priority: 1,
      cell: (object) =>
        containers(object)
          .map((c) => c.image ?? '')
          .join(','),
    },
  ];
}

/** The selector column of -o wide. */
export function selectorColumn<T>(selector: (object: T) => t.LabelSelector | undefined): Column<T> {
  return { name: 'Selector', type: 'string', priority: 1, cell: (object) => selectorText(selector(object)) };
}

/** A label selector in the syntax of kubectl -l, ordered by key: `!old,app=web,tier in (a,b)`. */
export function selectorText(selector: t.LabelSelector | undefined): string {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  const terms = [
    ...Object.entries(matchLabels).map(([key, value]) => ({ key, text: `${key}=${value}` })),
    ...matchExpressions.map((expression) => ({ key: expression.key, text: expressionText(expression) })),
  ];
  if (terms.length === 0) return none;
  return terms
    .sort((a, b) => Number(a.key > b.key) - Number(a.key < b.key))
    .map(({ text }) => text)
    .join(',');
}

function expressionText({ key, operator, values = [] }: t.LabelSelectorRequirement): string {
  const list = [...values].sort().join(',');
  if (operator === 'In') return `${key} in (${list})`;
  if (operator === 'NotIn') return `${key} notin (${list})`;
  return operator === 'Exists' ? key : `!${key}`;
}
