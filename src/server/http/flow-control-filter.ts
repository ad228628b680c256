import type { Clock } from '../../lib/clock.ts';
import type { Flow, FlowControl } from '../flow-control/flow-control.ts';
import { type Answer, type Exchange, type Filter, type Handler, textAnswer } from './exchange.ts';
import type { RequestKind } from './in-flight.ts';
import type { RequestMetrics } from './request-metrics.ts';
import { allowedTimeMs, isPassedOn } from './timeout-filter.ts';

/** A request waits for its seat for at most this part of the time it has. */
const waitingPart = 1 / 4;
const readMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Lets a request go on when its priority level has a seat for it; answers 429 when it gets none (apiserver:
 * pkg/server/filters/priority-and-fairness.go). Watches, logs and upgrades have their seat only until their answer begins.
 */
export function flowControlFilter(deps: { flowControl: FlowControl; metrics: RequestMetrics; clock: Clock }): Filter {
  const { flowControl: control, clock } = deps;
  const { inFlight } = deps.metrics;
  const workOn = (flow: Flow, exchange: Exchange, next: Handler): Promise<Answer> | Answer => {
    const kind = kindOf(exchange);
    inFlight.enter(kind);
    const leave = (): void => {
      inFlight.leave(kind);
      control.leave(flow);
    };
    try {
      const answer = next(exchange);
      if (answer instanceof Promise) return answer.finally(leave);
      leave();
      return answer;
    } catch (error) {
      leave();
      throw error;
    }
  };
  return (exchange, next) => {
    const flow = control.classify(exchange.user, exchange.info);
    if (!isPassedOn(exchange)) exchange.flow = flow;
    if (control.enter(flow)) return workOn(flow, exchange, next);
    const sinceMs = clock.monotonicMs();
    const kind = kindOf(exchange);
    inFlight.wait(kind);
    return control.wait(flow, exchange, allowedTimeMs(exchange) * waitingPart).then((seated) => {
      inFlight.waited(kind);
      exchange.waitedMs = clock.monotonicMs() - sinceMs;
      if (seated) return workOn(flow, exchange, next);
      exchange.isGivenUp = true;
      return refusal(flow);
    });
  };
}

const kindOf = ({ method }: Exchange): RequestKind => (readMethods.has(method) ? 'readOnly' : 'mutating');

const refusal = ({ level }: Flow): Answer =>
  textAnswer(429, 'Too many requests, please try again later.\n', { 'retry-after': String(level.retryAfter.seconds) });
