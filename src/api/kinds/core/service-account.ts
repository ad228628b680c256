import { defineKind } from '../../define-kind.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';

const mountableSecrets = 'kubernetes.io/enforce-mountable-secrets';

export type ServiceAccount = t.ServiceAccount;
export const ServiceAccount = defineKind<ServiceAccount>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  scope: 'Namespaced',
  subresources: [{ name: 'token', kind: 'TokenRequest', group: 'authentication.k8s.io', version: 'v1', verbs: ['create'] }],
  returnsDeletedObject: true,
  prepareForCreate: keepNamesOfSecrets,
  prepareForUpdate: keepNamesOfSecrets,
  warnings({ metadata }, previous) {
    const has = (object: ServiceAccount | undefined): boolean => object?.metadata.annotations?.[mountableSecrets] !== undefined;
    if (!has({ metadata } as ServiceAccount) || has(previous)) return [];
    const advice = 'prefer separate namespaces to isolate access to mounted secrets';
    return [`metadata.annotations[${mountableSecrets}]: deprecated in v1.32+; ${advice}`];
  },
  columns: [nameColumn, ageColumn],
});

/** References to secrets of the same namespace: only the names mean something. */
function keepNamesOfSecrets(account: ServiceAccount): void {
  if (account.secrets) account.secrets = account.secrets.map(({ name }) => (name === undefined ? {} : { name }));
}
