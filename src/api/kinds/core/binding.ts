import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { notSupported, required } from '../../validation/errors.ts';

/** The body of pods/binding (and of the older resource of that name): it is acted upon, never stored. */
export type Binding = t.Binding;
export const Binding = defineKind<Binding>({
  group: '',
  version: 'v1',
  kind: 'Binding',
  plural: 'bindings',
  scope: 'Namespaced',
  verbs: ['create'],
  validate({ target }) {
    const errors: FieldError[] = [];
    if (target?.kind && target.kind !== 'Node') errors.push(notSupported('target.kind', target.kind, ['Node', '<empty>']));
    if (!target?.name) errors.push(required('target.name'));
    return errors;
  },
});
