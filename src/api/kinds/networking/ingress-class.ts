import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn, none } from '../../table/columns.ts';
import { checkGiven, checkImmutable, checkText } from '../../validation/checks.ts';
import { domainPrefixedPath } from '../../validation/domain-prefixed-path.ts';
import { forbidden, notSupported, required, tooLong } from '../../validation/errors.ts';
import { dns1123Label, dns1123Subdomain, pathSegment } from '../../validation/names.ts';
import { counted } from '../strategy.ts';

const maxControllerLength = 250;
const defaultAnnotation = 'ingressclass.kubernetes.io/is-default-class';

export type IngressClass = t.IngressClass;
export const IngressClass = defineKind<IngressClass>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  plural: 'ingressclasses',
  scope: 'Cluster',
  applyDefaults(ingressClass) {
    const { parameters } = (ingressClass.spec ??= {});
    if (parameters) parameters.scope ??= 'Cluster';
  },
  ...counted,
  validate({ spec = {} }) {
    const errors: FieldError[] = [];
    checkController(errors, spec.controller);
    if (spec.parameters) checkParameters(errors, 'spec.parameters', spec.parameters);
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    checkImmutable(errors, 'spec.controller', next.spec.controller ?? '', previous.spec.controller ?? '');
    return errors;
  },
  columns: [
    {
      ...nameColumn,
      cell: ({ metadata }) =>
        metadata.annotations?.[defaultAnnotation] === 'true' ? `${metadata.name} (default)` : metadata.name,
    },
    { name: 'Controller', type: 'string', cell: (ingressClass) => ingressClass.spec?.controller ?? '' },
    { name: 'Parameters', type: 'string', cell: parametersText },
    ageColumn,
  ],
});

function checkController(errors: FieldError[], controller: string | undefined): void {
  const field = 'spec.controller';
  if (controller && controller.length > maxControllerLength) errors.push(tooLong(field, maxControllerLength));
  errors.push(...domainPrefixedPath(field, controller ?? ''));
}

function checkParameters(errors: FieldError[], at: string, parameters: t.IngressClassParametersReference): void {
  checkGiven(errors, `${at}.apiGroup`, parameters.apiGroup, dns1123Subdomain);
  for (const field of ['kind', 'name'] as const) {
    if (!parameters[field]) errors.push(required(`${at}.${field}`));
    else checkText(errors, `${at}.${field}`, parameters[field], pathSegment);
  }
  const { scope, namespace } = parameters;
  if (scope === undefined || scope === null) errors.push(required(`${at}.scope`));
  else if (scope !== 'Cluster' && scope !== 'Namespace') {
    errors.push(notSupported(`${at}.scope`, scope, ['Cluster', 'Namespace']));
  }
  if (scope === 'Namespace') {
    if (namespace === undefined) errors.push(required(`${at}.namespace`, "`parameters.scope` is set to 'Namespace'"));
    else checkGiven(errors, `${at}.namespace`, namespace, dns1123Label);
  }
  if (scope === 'Cluster' && namespace !== undefined) {
    errors.push(forbidden(`${at}.namespace`, "`parameters.scope` is set to 'Cluster'"));
  }
}

function parametersText({ spec }: IngressClass): string {
  const parameters = spec?.parameters;
  if (!parameters) return none;
  const { kind, apiGroup, name } = parameters;
  return apiGroup ? `${kind}.${apiGroup}/${name}` : `${kind}/${name}`;
}
