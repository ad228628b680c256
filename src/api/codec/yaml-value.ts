import { isAlias, isMap, isScalar, isSeq, type Pair, type Scalar, type YAMLMap } from 'yaml';
import { setOwn } from './json-objects.ts';

/** The document is YAML, and cannot be a value of an API. */
export class YamlValueError extends Error {
  override readonly name = 'YamlValueError';
}

/** What aliases may stand for, in bytes of JSON: a few hundred bytes of nested aliases can stand for gigabytes. */
const maxAliasedBytes = 4 * 1024 * 1024;
/** What a value takes as JSON besides its text. */
const bytesPerValue = 4;

/** A key that its map has already; `offset` is where it stands in the text. */
export interface DuplicateKey {
  readonly key: string;
  readonly offset: number;
}

interface Anchored {
  readonly value: unknown;
  readonly bytes: number;
}

/**
 * Makes a JSON value of the nodes of one document, in time that grows with them alone: the library's own conversion looks for the anchor of
 * each alias from the start, and for each key through all the others of its map. Throws YamlValueError with upstream's words.
 */
export class YamlValues {
  readonly duplicates: DuplicateKey[] = [];
  readonly #anchors = new Map<string, Anchored | 'open'>();
  /** The size of what was made so far, aliases counted as what they stand for. */
  #bytes = 0;
  #aliasedBytes = 0;

  value(node: unknown): unknown {
    if (isAlias(node)) return this.#aliased(node.source);
    const { anchor } = (node ?? {}) as { anchor?: string };
    if (!anchor) return this.#plain(node);
    this.#anchors.set(anchor, 'open');
    const before = this.#bytes;
    const value = this.#plain(node);
    this.#anchors.set(anchor, { value, bytes: this.#bytes - before });
    return value;
  }

  #plain(node: unknown): unknown {
    this.#bytes += bytesPerValue;
    if (isMap(node)) return this.#map(node);
    if (isSeq(node)) return node.items.map((item) => this.value(item));
    if (!isScalar(node)) return null;
    return this.#scalar(node);
  }

  #scalar({ value, source }: Scalar): unknown {
    if (typeof value === 'string') this.#bytes += value.length;
    // The merge key where it is none, and a dot without digits, which the library takes for a number: texts like others.
    const isText = typeof value === 'symbol' || (Number.isNaN(value) && !/nan/i.test(source ?? ''));
    return isText ? source : value;
  }

  #aliased(anchor: string): unknown {
    const anchored = this.#anchors.get(anchor);
    if (!anchored) throw new YamlValueError(`unknown anchor '${anchor}' referenced`);
    if (anchored === 'open') throw new YamlValueError(`anchor '${anchor}' value contains itself`);
    this.#bytes += anchored.bytes;
    this.#aliasedBytes += anchored.bytes;
    if (this.#aliasedBytes > maxAliasedBytes) throw new YamlValueError('document contains excessive aliasing');
    return anchored.value;
  }

  #map(map: YAMLMap): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    /** Fields that came by a merge key: the map's own fields replace them. */
    const merged = new Set<string>();
    for (const pair of map.items) {
      if (isMergeKey(pair)) this.#merge(result, merged, pair.value);
      else this.#field(result, merged, pair);
    }
    return result;
  }

  #field(into: Record<string, unknown>, merged: Set<string>, pair: Pair): void {
    const key = this.#key(pair.key);
    if (Object.hasOwn(into, key) && !merged.delete(key)) {
      this.duplicates.push({ key, offset: (pair.key as Scalar).range?.[0] ?? 0 });
    }
    setOwn(into, key, this.value(pair.value));
  }

  #key(node: unknown): string {
    const value = node === null ? null : this.value(node);
    if (typeof value === 'object' && value !== null) throw new YamlValueError(`invalid map key: ${JSON.stringify(value)}`);
    return value === null || value === undefined ? '' : String(value);
  }

  #merge(into: Record<string, unknown>, merged: Set<string>, node: unknown): void {
    const value = this.value(node);
    const sources = isMap(node) || !Array.isArray(value) ? [value] : value;
    for (const source of sources) {
      if (typeof source !== 'object' || source === null || Array.isArray(source)) {
        throw new YamlValueError('map merge requires map or sequence of maps as the value');
      }
      for (const [key, field] of Object.entries(source)) {
        if (Object.hasOwn(into, key)) continue;
        setOwn(into, key, field);
        merged.add(key);
      }
    }
  }
}

function isMergeKey({ key }: Pair): boolean {
  return isScalar(key) && typeof key.value === 'symbol';
}
