import type { Kind } from '../../api/kind.ts';
import type { Counter, Histogram, MetricRegistry } from '../../lib/metrics.ts';

const listBuckets = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4, 6, 8, 10, 15, 20, 30, 45, 60];
const versioned = ['group', 'version', 'resource'];

/** What is counted of one watch. */
export interface WatchSeries {
  /** Events that watchers of the kind were sent. */
  readonly sent: { value: number };
  /** Observes the seconds it took to send what there was; undefined for watches that did not ask for it. */
  readonly listed: ((seconds: number) => void) | undefined;
  /** It has to end because its client does not keep up. */
  tooSlow(): void;
}

/** Upstream's names (apiserver: pkg/endpoints/metrics/metrics.go, pkg/storage/cacher/metrics/metrics.go). */
export class WatchMetrics {
  readonly #events: Counter;
  readonly #lists: Histogram;
  readonly #slow: Counter;

  constructor(metrics: MetricRegistry) {
    this.#events = metrics.counter('apiserver_watch_events_total', 'Events sent to watchers.', versioned);
    const lists = 'Time until a watch that begins with what there is had sent it, in seconds.';
    this.#lists = metrics.histogram('apiserver_watch_list_duration_seconds', lists, listBuckets, [...versioned, 'scope']);
    const slow = 'Watches that ended because their clients did not keep up.';
    this.#slow = metrics.counter('apiserver_terminated_watchers_total', slow, ['group', 'resource']);
  }

  /** `isList`: the watch asked for what there is. */
  of({ group, version, plural }: Kind, namespace: string | undefined, isList: boolean): WatchSeries {
    const labels = [group, version, plural];
    return {
      sent: this.#events.at(labels),
      listed: isList ? this.#lists.at([...labels, namespace ? 'namespace' : 'cluster']) : undefined,
      tooSlow: () => this.#slow.inc([group, plural]),
    };
  }
}
