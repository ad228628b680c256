import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import {
  type ClusterSettings,
  clusterSettingsKey,
  decodeClusterSettings,
  encodeClusterSettings,
} from '../../api/cluster-settings.ts';
import { ConfigMap } from '../../api/kinds/core/config-map.ts';
import type { Client } from '../../client/client.ts';

/** The cluster's settings, remembered on disk for starts without the server. */
export class SettingsSource {
  readonly #file: string;
  #current: ClusterSettings | undefined;

  /** `file` holds what the server said last. */
  constructor(file: string) {
    this.#file = file;
    this.#current = remembered(file);
  }

  /** The settings, when they are known. */
  get current(): ClusterSettings | undefined {
    return this.#current;
  }

  /** Asks the server; rejects when it does not answer. */
  async load(client: Client): Promise<ClusterSettings> {
    const settings = decodeClusterSettings((await client.get(ConfigMap, clusterSettingsKey)).data);
    if (JSON.stringify(settings) !== JSON.stringify(this.#current))
      await writeFile(this.#file, JSON.stringify(encodeClusterSettings(settings)));
    this.#current = settings;
    return settings;
  }
}

function remembered(file: string): ClusterSettings | undefined {
  try {
    return decodeClusterSettings(JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>);
  } catch {
    // Never joined, or torn by a power cut: the server will say it again.
    return undefined;
  }
}
