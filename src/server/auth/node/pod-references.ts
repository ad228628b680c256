import type { Container, EphemeralContainer, Pod, Volume } from '../../../api/generated/types.ts';

/** Names of what a pod uses in its namespace; what its node must therefore be able to read. */
export interface PodReferences {
  readonly secrets: ReadonlySet<string>;
  readonly configMaps: ReadonlySet<string>;
  readonly claims: ReadonlySet<string>;
  readonly resourceClaims: ReadonlySet<string>;
  readonly serviceAccount: string | undefined;
}

const none: ReadonlySet<string> = new Set();

/** Everything a pod names: in volumes, environment and image pull secrets. */
export function podReferences(pod: Pod): PodReferences {
  const secrets = new Set<string>();
  const configMaps = new Set<string>();
  const claims = new Set<string>();
  const add = (set: Set<string>, name: string | undefined): void => {
    if (name) set.add(name);
  };
  for (const secret of pod.spec?.imagePullSecrets ?? []) add(secrets, secret.name);
  for (const container of containersOf(pod)) {
    for (const env of container.env ?? []) {
      add(secrets, env.valueFrom?.secretKeyRef?.name);
      add(configMaps, env.valueFrom?.configMapKeyRef?.name);
    }
    for (const from of container.envFrom ?? []) {
      add(secrets, from.secretRef?.name);
      add(configMaps, from.configMapRef?.name);
    }
  }
  for (const volume of pod.spec?.volumes ?? []) {
    for (const name of volumeSecrets(volume)) add(secrets, name);
    add(configMaps, volume.configMap?.name);
    add(claims, volume.persistentVolumeClaim?.claimName);
    if (volume.ephemeral) add(claims, `${pod.metadata.name}-${volume.name}`);
    for (const source of volume.projected?.sources ?? []) {
      add(secrets, source.secret?.name);
      add(configMaps, source.configMap?.name);
    }
  }
  return {
    secrets: orNone(secrets),
    configMaps: orNone(configMaps),
    claims: orNone(claims),
    resourceClaims: resourceClaimNames(pod),
    serviceAccount: pod.spec?.serviceAccountName,
  };
}

const orNone = (set: ReadonlySet<string>): ReadonlySet<string> => (set.size === 0 ? none : set);

function containersOf(pod: Pod): (Container | EphemeralContainer)[] {
  const { initContainers = [], containers = [], ephemeralContainers = [] } = pod.spec ?? {};
  return [...initContainers, ...containers, ...ephemeralContainers];
}

function volumeSecrets(volume: Volume): (string | undefined)[] {
  return [
    volume.secret?.secretName,
    volume.azureFile?.secretName,
    volume.cephfs?.secretRef?.name,
    volume.cinder?.secretRef?.name,
    volume.csi?.nodePublishSecretRef?.name,
    volume.flexVolume?.secretRef?.name,
    volume.iscsi?.secretRef?.name,
    volume.rbd?.secretRef?.name,
    volume.scaleIO?.secretRef?.name,
    volume.storageos?.secretRef?.name,
  ];
}

function resourceClaimNames(pod: Pod): ReadonlySet<string> {
  const claims = pod.spec?.resourceClaims ?? [];
  if (claims.length === 0) return none;
  const made = new Map((pod.status?.resourceClaimStatuses ?? []).map((s) => [s.name, s.resourceClaimName]));
  return new Set(claims.map((c) => c.resourceClaimName ?? made.get(c.name)).filter((name) => name !== undefined));
}
