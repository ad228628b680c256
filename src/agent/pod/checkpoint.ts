import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigMap, Pod, Secret } from '../../api/generated/types.ts';
import { readOptionalFile, writeSecretFile } from '../../pki/secret-file.ts';

type Stored = ConfigMap | Secret;

interface Checkpoint {
  readonly pod: Pod;
  readonly objects: readonly Stored[];
}

const fileName = 'pod.json';

/**
 * The pods of this node on its own disk, with the ConfigMaps and Secrets they need, readable by root only: an agent without its server
 * starts them again after a reboot. A file is written only when the pod's spec or an object has changed.
 */
export class PodCheckpoints {
  readonly #root: string;
  readonly #written = new Map<string, string>();

  /** `root` holds one directory per pod uid. */
  constructor(root: string) {
    this.#root = root;
  }

  save(pod: Pod, objects: readonly Stored[]): void {
    const text = JSON.stringify({ pod: essence(pod), objects: objects.map(objectEssence) });
    const path = this.#path(pod.metadata.uid);
    if (this.#written.get(path) === undefined) this.#written.set(path, readOptionalFile(path) ?? '');
    if (this.#written.get(path) === text) return;
    writeSecretFile(path, text);
    this.#written.set(path, text);
  }

  remove(podUid: string): void {
    this.#written.delete(this.#path(podUid));
    rmSync(this.#path(podUid), { force: true });
  }

  /** The pods of the last run. A file that cannot be read is skipped: its pod comes from the server. */
  load(): Pod[] {
    return this.uids()
      .map((uid) => this.#read(uid)?.pod)
      .filter((pod) => pod !== undefined);
  }

  /** Uids of all pods that left something on the disk. */
  uids(): string[] {
    try {
      return readdirSync(this.#root);
    } catch {
      return [];
    }
  }

  object(podUid: string, kind: 'ConfigMap' | 'Secret', name: string): Stored | undefined {
    return this.#read(podUid)?.objects.find((o) => o.kind === kind && o.metadata.name === name);
  }

  #read(podUid: string): Checkpoint | undefined {
    try {
      const text = readOptionalFile(this.#path(podUid));
      return text === undefined ? undefined : (JSON.parse(text) as Checkpoint);
    } catch {
      return undefined;
    }
  }

  #path(podUid: string): string {
    return join(this.#root, podUid, fileName);
  }
}

/** What the node needs to run the pod again; status and bookkeeping would change all the time. */
function essence(pod: Pod): Pod {
  const {
    name,
    namespace,
    uid,
    labels,
    annotations,
    creationTimestamp,
    generation,
    deletionTimestamp,
    deletionGracePeriodSeconds,
  } = pod.metadata;
  const { startTime } = pod.status ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid,
      creationTimestamp,
      resourceVersion: '',
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      ...(generation === undefined ? {} : { generation }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      ...(deletionGracePeriodSeconds === undefined ? {} : { deletionGracePeriodSeconds }),
    },
    spec: pod.spec,
    status: startTime === undefined ? {} : { startTime },
  };
}

function objectEssence(object: Stored): Stored {
  const { name, namespace, uid, creationTimestamp } = object.metadata;
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }), uid, creationTimestamp, resourceVersion: '' };
  return { ...object, metadata };
}
