import type { ObjectEntry } from '../registry/object-index.ts';
import type { WatchType } from '../registry/watch.ts';
import { copyInto, type ServedBytes, sizeOf } from './render.ts';

/** The lines of watches. All watchers of a change come one after the other, so remembering the last line is enough to make each once. */
export class EventLines {
  #last: { entry: ObjectEntry; type: WatchType; revision: number; bytes: Uint8Array } | undefined;

  line(type: WatchType, entry: ObjectEntry, revision: number, served: ServedBytes): Uint8Array {
    const last = this.#last;
    if (last?.entry === entry && last.type === type && last.revision === revision) return last.bytes;
    const start = `{"type":"${type}","object":`;
    const bytes = Buffer.allocUnsafeSlow(start.length + sizeOf(served) + 2);
    const end = copyInto(bytes, bytes.write(start, 0, 'latin1'), served);
    bytes.write('}\n', end, 'latin1');
    this.#last = { entry, type, revision, bytes };
    return bytes;
  }
}
