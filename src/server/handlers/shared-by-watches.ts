import type { Clock } from '../../lib/clock.ts';
import { BookmarkTicker } from './bookmark-ticker.ts';
import { EventLines } from './event-lines.ts';
import { FlushQueue } from './flush-queue.ts';
import { SlowWatches } from './slow-watches.ts';

/** What all watches of a server have in common. */
export interface SharedByWatches {
  readonly lines: EventLines;
  readonly flushes: FlushQueue;
  readonly bookmarks: BookmarkTicker;
  readonly slow: SlowWatches;
}

/** Made once for all watches of a server. */
export function sharedByWatches(clock: Clock): SharedByWatches {
  return {
    lines: new EventLines(),
    flushes: new FlushQueue(clock),
    bookmarks: new BookmarkTicker(clock),
    slow: new SlowWatches(),
  };
}
