import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod, Volume } from '../../api/generated/types.ts';
import type { Client } from '../../client/client.ts';
import { quantityValue } from '../../lib/quantity.ts';
import type { Allocatable } from '../pod/field-ref.ts';
import type { ReferencedObjects } from '../pod/objects.ts';
import { fingerprint, writeAtomically } from './atomic-writer.ts';
import { prepareHostPath } from './host-path.ts';
import type { Mounter } from './mounter.ts';
import { giveToGroup } from './ownership.ts';
import { configMapPayload, downwardPayload, secretPayload } from './payload.ts';
import { claimName, claimPath } from './persistent-volumes.ts';
import { type Content, type ContentContext, defaultFileMode, never, projectedContent } from './projected.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';

/** A volume as containers can mount it. */
export interface MountedVolume {
  readonly path: string;
  readonly readOnly: boolean;
}

export interface SetUpVolumes {
  readonly volumes: ReadonlyMap<string, MountedVolume>;
  /** When `setUp` has to run again although nothing changed (a token ends); Infinity when never. */
  readonly refreshAtMs: number;
}

/** A volume cannot be made available; the message is upstream's form of the FailedMount event. */
export class VolumeError extends Error {
  override readonly name = 'VolumeError';
  readonly volume: string;
  constructor(volume: string, cause: unknown) {
    super(`MountVolume.SetUp failed for volume "${volume}" : ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
    this.volume = volume;
  }
}

export interface VolumeManagerDeps {
  readonly client: Client;
  readonly objects: ReferencedObjects;
  readonly tokens: ServiceAccountTokens;
  readonly mounter: Mounter;
  /** On disk: emptyDir, configMap, termination messages. */
  readonly podsRoot: string;
  /** On a memory filesystem: secrets and tokens. */
  readonly memoryRoot: string;
  readonly allocatable: () => Allocatable;
}

/** The volumes of this node's pods. `setUp` may be called at any time: it changes only what differs. */
export class VolumeManager {
  readonly #deps: VolumeManagerDeps;
  /** Fingerprints of what was written, by directory: spares reading it back. */
  readonly #written = new Map<string, string>();
  /** Volumes whose ownership has been set, by directory. */
  readonly #prepared = new Set<string>();
  /** What claims stand for, by pod and volume. */
  readonly #claims = new Map<string, MountedVolume>();

  constructor(deps: VolumeManagerDeps) {
    this.#deps = deps;
  }

  /** Rejects with a VolumeError for the first volume that cannot be had. */
  async setUp(pod: Pod, options: { offline: boolean }): Promise<SetUpVolumes> {
    const volumes = new Map<string, MountedVolume>();
    let refreshAtMs = never;
    for (const volume of pod.spec.volumes ?? []) {
      try {
        const mounted = await this.#setUpOne(pod, volume, options);
        volumes.set(volume.name, mounted);
        refreshAtMs = Math.min(refreshAtMs, mounted.refreshAtMs ?? never);
      } catch (error) {
        throw new VolumeError(volume.name, error);
      }
    }
    return { volumes, refreshAtMs };
  }

  /** Unmounts and deletes everything the pod had on this node, except what belongs to persistent volumes and the host. */
  async tearDown(podUid: string): Promise<void> {
    for (const root of [this.#deps.podsRoot, this.#deps.memoryRoot]) {
      const directory = join(root, podUid);
      for (const mount of await this.#deps.mounter.mountsBelow(directory)) await this.#deps.mounter.unmount(mount);
      await rm(directory, { recursive: true, force: true });
      for (const known of [...this.#written.keys(), ...this.#prepared])
        if (known.startsWith(`${directory}/`)) {
          this.#written.delete(known);
          this.#prepared.delete(known);
        }
    }
    for (const key of this.#claims.keys()) if (key.startsWith(`${podUid}/`)) this.#claims.delete(key);
    this.#deps.tokens.forget(podUid);
  }

  async #setUpOne(
    pod: Pod,
    volume: Volume,
    { offline }: { offline: boolean },
  ): Promise<MountedVolume & { refreshAtMs?: number }> {
    if (volume.emptyDir) return this.#emptyDir(pod, volume);
    if (volume.hostPath) return { path: await prepareHostPath(volume.hostPath), readOnly: false };
    const claim = claimName(pod, volume);
    if (claim) return this.#claim(pod, volume, claim);
    const { objects, tokens, allocatable } = this.#deps;
    const content = await volumeContent(pod, volume, { objects, tokens, allocatable: allocatable(), tokensOptional: offline });
    if (!content) throw new Error('this type of volume is not supported on this node');
    const path = this.#directory(pod, volume, volume.configMap ? 'disk' : 'memory');
    const print = fingerprint(content.files);
    if (this.#written.get(path) !== print) {
      await writeAtomically(path, content.files, pod.spec.securityContext?.fsGroup);
      this.#written.set(path, print);
    }
    return { path, readOnly: true, refreshAtMs: content.refreshAtMs };
  }

  async #emptyDir(pod: Pod, volume: Volume): Promise<MountedVolume> {
    const { medium, sizeLimit } = volume.emptyDir!;
    const path = this.#directory(pod, volume, 'disk');
    const mounted = { path, readOnly: false };
    if (this.#prepared.has(path)) return mounted;
    await mkdir(path, { recursive: true, mode: 0o777 });
    if (medium === 'Memory') {
      const sizeBytes = quantityValue(sizeLimit);
      await this.#deps.mounter.tmpfs(path, { mode: 0o777, ...(sizeBytes > 0 ? { sizeBytes } : {}) });
    } else if (medium?.startsWith('HugePages')) throw new Error('huge pages are not supported on this node');
    await chmod(path, 0o777);
    await this.#own(pod, path);
    return mounted;
  }

  async #claim(pod: Pod, volume: Volume, claim: string): Promise<MountedVolume> {
    const key = `${pod.metadata.uid}/${volume.name}`;
    const found = this.#claims.get(key) ?? (await claimPath(this.#deps.client, pod.metadata.namespace ?? '', claim));
    // A claim stays bound to its volume while a pod uses it.
    this.#claims.set(key, found);
    if (!this.#prepared.has(found.path) && !found.readOnly) await this.#own(pod, found.path);
    return { path: found.path, readOnly: found.readOnly || (volume.persistentVolumeClaim?.readOnly ?? false) };
  }

  async #own(pod: Pod, path: string): Promise<void> {
    const { fsGroup, fsGroupChangePolicy } = pod.spec.securityContext ?? {};
    if (fsGroup !== undefined) await giveToGroup(path, fsGroup, { onRootMismatch: fsGroupChangePolicy === 'OnRootMismatch' });
    this.#prepared.add(path);
  }

  #directory(pod: Pod, volume: Volume, where: 'disk' | 'memory'): string {
    const root = where === 'disk' ? this.#deps.podsRoot : this.#deps.memoryRoot;
    return join(root, pod.metadata.uid, 'volumes', volume.name);
  }
}

/** What a volume made of API objects holds; undefined for other types. */
async function volumeContent(pod: Pod, volume: Volume, context: ContentContext): Promise<Content | undefined> {
  const namespace = pod.metadata.namespace ?? '';
  if (volume.projected) return projectedContent(pod, volume.projected, context);
  if (volume.configMap) {
    const { name = '', items, optional = false, defaultMode = defaultFileMode } = volume.configMap;
    const object = await context.objects.configMap(namespace, name);
    if (!object && !optional) throw new Error(`configmap "${name}" not found`);
    return { files: configMapPayload(object, { items, defaultMode, optional }), refreshAtMs: never };
  }
  if (volume.secret) {
    const { secretName = '', items, optional = false, defaultMode = defaultFileMode } = volume.secret;
    const object = await context.objects.secret(namespace, secretName);
    if (!object && !optional) throw new Error(`secret "${secretName}" not found`);
    return { files: secretPayload(object, { items, defaultMode, optional }), refreshAtMs: never };
  }
  if (volume.downwardAPI) {
    const { items = [], defaultMode = defaultFileMode } = volume.downwardAPI;
    return { files: downwardPayload(pod, items, { defaultMode, allocatable: context.allocatable }), refreshAtMs: never };
  }
  return undefined;
}
