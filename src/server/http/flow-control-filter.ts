import type { Flow, FlowControl } from '../flow-control/flow-control.ts';
import { type Answer, type Exchange, type Filter, type Handler, textAnswer } from './exchange.ts';
import type { RequestMetrics } from './request-metrics.ts';
import { allowedTimeMs, isPassedOn } from './timeout-filter.ts';

/** A request waits for its seat for at most this part of the time it has. */
const waitingPart = 1 / 4;
const readMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
const reading = ['readOnly'];
const changing = ['mutating'];

/**
 * Lets a request go on when its priority level has a seat for it; answers 429 when it gets none (apiserver:
 * pkg/server/filters/priority-and-fairness.go). Watches, logs and upgrades have their seat only until their answer begins.
 */
export function flowControlFilter(control: FlowControl, { inFlight }: RequestMetrics): Filter {
  const workOn = (flow: Flow, exchange: Exchange, next: Handler): Promise<Answer> | Answer => {
    const kind = readMethods.has(exchange.method) ? reading : changing;
    inFlight.add(1, kind);
    const leave = (): void => {
      inFlight.add(-1, kind);
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
    const entered = control.wait(flow, exchange, allowedTimeMs(exchange) * waitingPart);
    return entered.then((seated) => (seated ? workOn(flow, exchange, next) : refusal(flow)));
  };
}

const refusal = ({ level }: Flow): Answer =>
  textAnswer(429, 'Too many requests, please try again later.\n', { 'retry-after': String(level.retryAfter.seconds) });
