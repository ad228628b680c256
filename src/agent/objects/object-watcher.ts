import type { ConfigMap, Pod, Secret } from '../../api/generated/types.ts';
import type { Kind } from '../../api/kind.ts';
import { ConfigMap as ConfigMapKind } from '../../api/kinds/core/config-map.ts';
import { Secret as SecretKind } from '../../api/kinds/core/secret.ts';
import { isStatus } from '../../api/status-error.ts';
import type { Client } from '../../client/client.ts';
import { createInformer, type Informer } from '../../client/informer.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { ReferencedObjects } from '../pod/objects.ts';
import { podReferences } from './pod-references.ts';

/** Objects watched at a time; further ones are read when a pod needs them, and their changes arrive with the pod's next change. */
const watchLimit = 512;
/** How long a pod waits for an object of a server that does not answer, before what the checkpoint holds is used. */
const patienceMs = 5_000;

type Watched = ConfigMap | Secret;

interface Entry {
  readonly kind: Kind<Watched>;
  readonly namespace: string;
  readonly name: string;
  readonly informer: Informer<Watched> | undefined;
  readonly users: Set<string>;
}

/** What is known of an object from before the server was lost. */
export type OfflineObjects = (podUid: string, kind: 'ConfigMap' | 'Secret', name: string) => Watched | undefined;

/**
 * The ConfigMaps and Secrets the node's pods refer to: each watched on its own (a node may not list them), for as long as a pod uses it.
 */
export class ObjectWatcher implements ReferencedObjects {
  readonly #deps: { client: Client; clock: Clock; log: Logger };
  readonly #entries = new Map<string, Entry>();
  readonly #onChange: (podUid: string) => void;
  readonly #offline: OfflineObjects;
  /** The server did not answer in time: nobody else waits for it until it does. */
  #away = false;

  constructor(
    deps: { client: Client; clock: Clock; log: Logger },
    options: { onChange: (podUid: string) => void; offline: OfflineObjects },
  ) {
    this.#deps = deps;
    this.#onChange = options.onChange;
    this.#offline = options.offline;
  }

  /** Starts watching what the pod refers to, and lets go of what it no longer does. */
  use(pod: Pod): void {
    const { configMaps, secrets } = podReferences(pod);
    const namespace = pod.metadata.namespace ?? '';
    const wanted = new Set<string>();
    const want = (kind: Kind<Watched>, name: string): void => {
      const id = idOf(kind, namespace, name);
      wanted.add(id);
      this.#enter(id, kind, { namespace, name }).users.add(pod.metadata.uid);
    };
    for (const name of configMaps) want(ConfigMapKind as unknown as Kind<Watched>, name);
    for (const name of secrets) want(SecretKind as unknown as Kind<Watched>, name);
    this.#release(pod.metadata.uid, wanted);
  }

  /** The pod is gone. */
  drop(podUid: string): void {
    this.#release(podUid, new Set());
  }

  stop(): void {
    for (const entry of this.#entries.values()) entry.informer?.stop();
    this.#entries.clear();
  }

  async configMap(namespace: string, name: string): Promise<ConfigMap | undefined> {
    return (await this.#get(ConfigMapKind as unknown as Kind<Watched>, namespace, name)) as ConfigMap | undefined;
  }

  async secret(namespace: string, name: string): Promise<Secret | undefined> {
    return (await this.#get(SecretKind as unknown as Kind<Watched>, namespace, name)) as Secret | undefined;
  }

  #enter(id: string, kind: Kind<Watched>, { namespace, name }: { namespace: string; name: string }): Entry {
    const known = this.#entries.get(id);
    if (known) return known;
    const informer =
      this.#entries.size < watchLimit
        ? createInformer<Watched>(this.#deps, kind, { scope: { namespace, fieldSelector: `metadata.name=${name}` } })
        : undefined;
    const entry: Entry = { kind, namespace, name, informer, users: new Set() };
    this.#entries.set(id, entry);
    const tell = (): void => {
      if (informer?.hasSynced) for (const uid of entry.users) this.#onChange(uid);
    };
    informer?.addHandler({ onAdd: tell, onUpdate: tell, onDelete: tell });
    informer?.start();
    return entry;
  }

  #release(podUid: string, except: ReadonlySet<string>): void {
    for (const [id, entry] of this.#entries) {
      if (except.has(id) || !entry.users.delete(podUid) || entry.users.size > 0) continue;
      entry.informer?.stop();
      this.#entries.delete(id);
    }
  }

  async #get(kind: Kind<Watched>, namespace: string, name: string): Promise<Watched | undefined> {
    const entry = this.#entries.get(idOf(kind, namespace, name));
    if (entry?.informer && (entry.informer.hasSynced || (await this.#settled(entry.informer))))
      return entry.informer.get(`${namespace}/${name}`);
    if (entry?.informer) return this.#fallback(entry);
    try {
      return await this.#deps.client.get(kind, { namespace, name });
    } catch (error) {
      if (isStatus(error, 'NotFound')) return undefined;
      if (entry) return this.#fallback(entry, error);
      throw error;
    }
  }

  #fallback(entry: Entry, cause?: unknown): Watched {
    for (const uid of entry.users) {
      const object = this.#offline(uid, entry.kind.kind as 'ConfigMap' | 'Secret', entry.name);
      if (object) return object;
    }
    throw new Error(`timed out waiting for ${entry.kind.kind} ${entry.namespace}/${entry.name}: the server does not answer`, {
      cause,
    });
  }

  #settled(informer: Informer<Watched>): Promise<boolean> {
    return new Promise((resolve) => {
      const giveUp = (): void => {
        this.#away = true;
        resolve(false);
      };
      const cancel = this.#deps.clock.after(this.#away ? 0 : patienceMs, giveUp);
      void informer.synced.then(() => {
        this.#away = false;
        cancel();
        resolve(true);
      });
    });
  }
}

const idOf = (kind: Kind<Watched>, namespace: string, name: string): string => `${kind.kind}/${namespace}/${name}`;
