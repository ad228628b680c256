import type { Kind } from '../../api/kind.ts';
import type { ObjectEntry } from '../registry/object-index.ts';
import type { WatchType } from '../registry/watch.ts';
import { copyInto, servedBytes, servedMetadata, sizeOf } from './served-bytes.ts';

interface Line {
  readonly kind: Kind;
  readonly metaVersion: string | undefined;
  readonly type: WatchType;
  readonly entry: ObjectEntry;
  readonly revision: number;
}

/** The lines of watches. All watchers of a change come one after the other, so remembering the last line is enough to make each once. */
export class EventLines {
  #last: (Line & { readonly bytes: Uint8Array }) | undefined;

  /** With `metaVersion` only the metadata is in it. Undefined when the entry must be decoded. */
  of(line: Line): Uint8Array | undefined {
    const { kind, metaVersion, type, entry, revision } = line;
    const last = this.#last;
    if (
      last?.entry === entry &&
      last.kind === kind &&
      last.type === type &&
      last.revision === revision &&
      last.metaVersion === metaVersion
    ) {
      return last.bytes;
    }
    const served =
      metaVersion === undefined ? servedBytes(kind, entry, revision, true) : servedMetadata(kind, entry, revision, metaVersion);
    if (!served) return undefined;
    const start = `{"type":"${type}","object":`;
    const bytes = Buffer.allocUnsafeSlow(start.length + sizeOf(served) + 2);
    const end = copyInto(bytes, bytes.write(start, 0, 'latin1'), served);
    bytes.write('}\n', end, 'latin1');
    this.#last = { ...line, bytes };
    return bytes;
  }
}
