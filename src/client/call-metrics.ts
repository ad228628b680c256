import { StatusError } from '../api/status-error.ts';
import type { Clock } from '../lib/clock.ts';
import type { MetricRegistry } from '../lib/metrics.ts';
import type { InProcessApi } from './loopback-client.ts';

const durationBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];
/** Stands where others have the address they call. */
const host = 'in-process';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** The same API, its calls counted and timed as upstream's clients count theirs (component-base: metrics/prometheus/restclient). */
export function observeCalls(api: InProcessApi, { metrics, clock }: { metrics: MetricRegistry; clock: Clock }): InProcessApi {
  const total = metrics.counter('rest_client_requests_total', 'Calls of controllers by their HTTP status.', [
    'code',
    'host',
    'method',
  ]);
  const help = 'Time that calls of controllers took, in seconds.';
  const durations = metrics.histogram('rest_client_request_duration_seconds', help, durationBuckets, ['host', 'verb']);
  const done = (method: Method, code: number, startedAtMs: number): void => {
    total.inc([String(code), host, method]);
    durations.observe((clock.monotonicMs() - startedAtMs) / 1000, [host, method]);
  };
  const observed = <R>(method: Method, call: Promise<R>, code: number): Promise<R> => {
    const startedAtMs = clock.monotonicMs();
    call.then(
      () => done(method, code, startedAtMs),
      (error: unknown) => done(method, error instanceof StatusError ? error.code : 500, startedAtMs),
    );
    return call;
  };
  return {
    get: (as, kind, key) => observed('GET', api.get(as, kind, key), 200),
    list: (as, kind, options) => observed('GET', api.list(as, kind, options), 200),
    create: (as, kind, object) => observed('POST', api.create(as, kind, object), 201),
    update: (as, kind, object, subresource) => observed('PUT', api.update(as, kind, object, subresource), 200),
    patch: (as, kind, key, patch) => observed('PATCH', api.patch(as, kind, key, patch), 200),
    delete: (as, kind, key, options) => observed('DELETE', api.delete(as, kind, key, options), 200),
    post: (as, kind, key, subresource, body) => observed('POST', api.post(as, kind, key, subresource, body), 201),
    watch: (as, kind, options, handler) => api.watch(as, kind, options, handler),
  };
}
