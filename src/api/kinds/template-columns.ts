import type * as t from '../generated/types.ts';
import type { Column } from '../kind.ts';
import { labelText, none } from '../table/columns.ts';

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

/** A label selector in the syntax of kubectl -l: `app=web,tier in (a,b),!old`. */
export function selectorText(selector: t.LabelSelector | undefined): string {
  if (!selector) return none;
  const labels = selector.matchLabels && Object.keys(selector.matchLabels).length > 0 ? [labelText(selector.matchLabels)] : [];
  const terms = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    switch (operator) {
      case 'In':
        return `${key} in (${[...values].sort().join(',')})`;
      case 'NotIn':
        return `${key} notin (${[...values].sort().join(',')})`;
      case 'Exists':
        return key;
      default:
        return `!${key}`;
    }
  });
  return [...labels, ...terms].join(',') || none;
}
