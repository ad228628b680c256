import type { Pod, ProjectedVolumeSource, VolumeProjection } from '../../api/generated/types.ts';
import type { Allocatable } from '../pod/field-ref.ts';
import type { ReferencedObjects } from '../pod/objects.ts';
import { commonUser } from './ownership.ts';
import { configMapPayload, downwardPayload, type Payload, type PayloadFile, secretPayload } from './payload.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';

export const defaultFileMode = 0o644;

export interface ContentContext {
  readonly objects: ReferencedObjects;
  readonly tokens: ServiceAccountTokens;
  readonly allocatable: Allocatable;
  /** True while the server cannot be reached and the pod comes from the checkpoint: it then starts without a token. */
  readonly tokensOptional: boolean;
}

export interface Content {
  readonly files: Payload;
  /** When the content has to be made anew although no object changed. */
  readonly refreshAtMs: number;
}

export const never = Number.POSITIVE_INFINITY;

/** All sources of a projected volume in one directory. */
export async function projectedContent(pod: Pod, source: ProjectedVolumeSource, context: ContentContext): Promise<Content> {
  const files = new Map<string, PayloadFile>();
  let refreshAtMs = never;
  const defaultMode = source.defaultMode ?? defaultFileMode;
  for (const projection of source.sources ?? []) {
    const part = await projectionContent(pod, projection, { ...context, defaultMode });
    for (const [path, file] of part.files) files.set(path, file);
    refreshAtMs = Math.min(refreshAtMs, part.refreshAtMs);
  }
  return { files, refreshAtMs };
}

async function projectionContent(
  pod: Pod,
  source: VolumeProjection,
  context: ContentContext & { defaultMode: number },
): Promise<Content> {
  const { defaultMode, objects } = context;
  const namespace = pod.metadata.namespace ?? '';
  if (source.configMap) {
    const { name = '', items, optional = false } = source.configMap;
    const object = await objects.configMap(namespace, name);
    if (!object && !optional) throw new Error(`configmap "${name}" not found`);
    return { files: configMapPayload(object, { items, defaultMode, optional }), refreshAtMs: never };
  }
  if (source.secret) {
    const { name = '', items, optional = false } = source.secret;
    const object = await objects.secret(namespace, name);
    if (!object && !optional) throw new Error(`secret "${name}" not found`);
    return { files: secretPayload(object, { items, defaultMode, optional }), refreshAtMs: never };
  }
  if (source.downwardAPI) {
    const items = source.downwardAPI.items ?? [];
    return { files: downwardPayload(pod, items, { defaultMode, allocatable: context.allocatable }), refreshAtMs: never };
  }
  if (source.serviceAccountToken) return tokenContent(pod, source.serviceAccountToken, context);
  throw new Error('a projected volume has a source this node does not know');
}

type TokenSource = NonNullable<VolumeProjection['serviceAccountToken']>;

async function tokenContent(pod: Pod, source: TokenSource, context: ContentContext & { defaultMode: number }): Promise<Content> {
  const { audience, expirationSeconds, path } = source;
  try {
    const ask = { ...(audience ? { audience } : {}), ...(expirationSeconds === undefined ? {} : { expirationSeconds }) };
    const { token, refreshAtMs } = await context.tokens.get(pod, ask);
    const uid = commonUser(pod);
    const mode = pod.spec.securityContext?.fsGroup !== undefined || uid !== undefined ? 0o600 : context.defaultMode;
    const file: PayloadFile = { data: Buffer.from(token), mode, ...(uid === undefined ? {} : { uid }) };
    return { files: new Map([[path, file]]), refreshAtMs };
  } catch (error) {
    if (!context.tokensOptional) throw error;
    return { files: new Map(), refreshAtMs: never };
  }
}
