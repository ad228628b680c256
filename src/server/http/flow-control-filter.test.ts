import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeReader } from '../../../test/support/fake-reader.ts';
import { FakeClock } from '../../lib/clock.ts';
import { MetricRegistry } from '../../lib/metrics.ts';
import { systemMaster } from '../auth/user.ts';
import { FlowControl } from '../flow-control/flow-control.ts';
import { type Answer, type Exchange, textAnswer } from './exchange.ts';
import { flowControlFilter } from './flow-control-filter.ts';
import { parseRequestInfo } from './request-info.ts';
import { createRequestMetrics } from './request-metrics.ts';

const exchange = (method: string): Exchange => {
  const query = new URLSearchParams();
  return { method, query, user: systemMaster, info: parseRequestInfo(method, '/api/v1/pods', query) } as unknown as Exchange;
};

test('what is worked on is counted by whether it reads, until its answer begins', async () => {
  const metrics = new MetricRegistry();
  const clock = new FakeClock();
  const flowControl = new FlowControl({ reader: new FakeReader(), clock, metrics });
  const filter = flowControlFilter({ flowControl, metrics: createRequestMetrics(metrics, clock), clock });
  /** What was worked on before is not shown any more. */
  const later = (): void => clock.advance(2000);
  /** Requests worked on: that read, that change, that have a seat. */
  const counted = (): number[] => {
    const text = metrics.render();
    const series = [
      'inflight_requests{request_kind="readOnly"}',
      'inflight_requests{request_kind="mutating"}',
      'flow_schema="exempt"}',
    ];
    return series.map((name) =>
      Number(
        text
          .split('\n')
          .find((line) => /_current_(?!inqueue)/.test(line) && line.includes(name))
          ?.split(' ')
          .at(-1) ?? 0,
      ),
    );
  };
  const seen: number[][] = [];
  const ok = (): Answer => {
    seen.push(counted());
    return textAnswer(200, 'ok');
  };
  const failing = (): never => {
    ok();
    throw new Error('broken');
  };
  for (const method of ['GET', 'POST']) {
    later();
    filter(exchange(method), ok);
    later();
    await filter(exchange(method), async () => ok());
    later();
    assert.throws(() => filter(exchange(method), failing), /broken/);
    later();
    await assert.rejects(async () => filter(exchange(method), async () => failing()), /broken/);
  }
  assert.deepEqual(seen, [...Array(4).fill([1, 0, 1]), ...Array(4).fill([0, 1, 1])]);
  later();
  assert.deepEqual(counted(), [0, 0, 0]);
});
