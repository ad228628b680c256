import type { Kind } from '../../api/kind.ts';
import type { ObjectEntry } from '../registry/object-index.ts';
import type { WatchType } from '../registry/watch.ts';
import { copyInto, servedBytes, sizeOf } from './render.ts';

/** The lines of watches. All watchers of a change come one after the other, so remembering the last line is enough to make each once. */
export class EventLines {
  #last: { kind: Kind; entry: ObjectEntry; type: WatchType; revision: number; bytes: Uint8Array } | undefined;

  /** Undefined when the entry must be decoded. */
  line(kind: Kind, type: WatchType, entry: ObjectEntry, revision: number): Uint8Array | undefined {
    const last = this.#last;
    if (last?.entry === entry && last.kind === kind && last.type === type && last.revision === revision) return last.bytes;
    const served = servedBytes(kind, entry, revision, true);
    if (!served) return undefined;
    const start = `{"type":"${type}","object":`;
    const bytes = Buffer.allocUnsafeSlow(start.length + sizeOf(served) + 2);
    const end = copyInto(bytes, bytes.write(start, 0, 'latin1'), served);
    bytes.write('}\n', end, 'latin1');
    this.#last = { kind, entry, type, revision, bytes };
    return bytes;
  }
}
