import type { Container, EphemeralContainer, Pod, ServiceAccount } from '../../api/generated/types.ts';

const annotation = 'kubernetes.io/enforce-mountable-secrets';
const truths = ['1', 't', 'T', 'TRUE', 'true', 'True'];

/** True for accounts whose pods may only use the secrets the account names. */
export const limitsSecrets = ({ metadata }: ServiceAccount): boolean => truths.includes(metadata.annotations?.[annotation] ?? '');

/** Why a new pod may not run under such an account, if so. kubernetes: plugin/pkg/admission/serviceaccount. */
export function forbiddenSecret({ spec }: Pod, account: ServiceAccount): string | undefined {
  const allowed = namesOf(account.secrets);
  const volume = spec?.volumes?.find(({ secret }) => secret && !allowed.has(secret.secretName));
  if (volume) return secretRefusal('volume with', volume.secret?.secretName, account);
  const used =
    forbiddenContainerSecret('init container', spec?.initContainers, account) ??
    forbiddenContainerSecret('container', spec?.containers, account);
  if (used !== undefined) return used;
  const pulls = namesOf(account.imagePullSecrets);
  const i = spec?.imagePullSecrets?.findIndex(({ name }) => !pulls.has(name)) ?? -1;
  if (i < 0) return undefined;
  const { name } = spec!.imagePullSecrets![i]!;
  return `imagePullSecrets[${i}].name="${name}" is not allowed because service account ${account.metadata.name} does not reference that imagePullSecret`;
}

/** Why containers may not have their environment from the secrets they name, if so. */
export function forbiddenContainerSecret(
  what: string,
  containers: readonly (Container | EphemeralContainer)[] | undefined,
  account: ServiceAccount,
): string | undefined {
  const allowed = namesOf(account.secrets);
  for (const { name, env = [], envFrom = [] } of containers ?? []) {
    for (const variable of env) {
      const key = variable.valueFrom?.secretKeyRef;
      if (key && !allowed.has(key.name))
        return secretRefusal(`${what} ${name} with envVar ${variable.name} referencing`, key.name, account);
    }
    for (const { secretRef } of envFrom) {
      if (secretRef && !allowed.has(secretRef.name))
        return secretRefusal(`${what} ${name} with envFrom referencing`, secretRef.name, account);
    }
  }
  return undefined;
}

const namesOf = (references: readonly { name?: string }[] | undefined): Set<string | undefined> =>
  new Set(references?.map(({ name }) => name));

const secretRefusal = (what: string, secret: string | undefined, { metadata }: ServiceAccount): string =>
  `${what} secret.secretName="${secret ?? ''}" is not allowed because service account ${metadata.name} does not reference that secret`;
