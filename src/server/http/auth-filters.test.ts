import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unauthorized } from '../../api/status-error.ts';
import { FakeClock } from '../../lib/clock.ts';
import { MetricRegistry } from '../../lib/metrics.ts';
import type { Decision } from '../auth/authorizer.ts';
import { anonymous, type UserInfo } from '../auth/user.ts';
import { authenticationFilter, authorizationFilter } from './auth-filters.ts';
import { createAuthMetrics } from './auth-metrics.ts';
import { type Answer, type Exchange, textAnswer } from './exchange.ts';
import { parseRequestInfo } from './request-info.ts';

const isPublic = (path: string): boolean => path === '/cacerts';
const exchange = (path: string): Exchange =>
  ({
    path,
    method: 'GET',
    headers: {},
    query: new URLSearchParams(),
    user: anonymous,
    info: parseRequestInfo('GET', path, new URLSearchParams()),
  }) as unknown as Exchange;
const ok = (): Answer => textAnswer(200, 'ok');

test('requests are counted by whether they are known', async () => {
  const metrics = createAuthMetrics(new MetricRegistry(), new FakeClock());
  const counted = (): number[] => [metrics.authenticated.success.count, metrics.authenticated.error.count];
  const answers: (() => Promise<UserInfo> | UserInfo)[] = [
    () => anonymous,
    () => Promise.resolve(anonymous),
    () => {
      throw unauthorized();
    },
    () => Promise.reject(unauthorized()),
  ];
  let failed = 0;
  for (const answer of answers) {
    const filter = authenticationFilter(() => answer(), isPublic, metrics);
    for (const path of ['/api', '/cacerts'])
      await (async () => filter(exchange(path), ok))().catch((error: { code: number }) => {
        assert.equal(error.code, 401);
        failed++;
      });
  }
  assert.deepEqual([failed, counted()], [2, [6, 2]]);
});

test('an error behind the filter is no failed authentication', async () => {
  const metrics = createAuthMetrics(new MetricRegistry(), new FakeClock());
  const broken = (): never => {
    throw new Error('broken');
  };
  for (const user of [anonymous, Promise.resolve(anonymous)])
    await assert.rejects(async () => authenticationFilter(() => user, isPublic, metrics)(exchange('/api'), broken), /broken/);
  assert.equal(metrics.authenticated.error.count, 0);
});

test('requests are counted by whether they are allowed', () => {
  const metrics = createAuthMetrics(new MetricRegistry(), new FakeClock());
  for (const verdict of ['allow', 'deny', 'noOpinion'] as const) {
    const filter = authorizationFilter({ authorize: (): Decision => ({ verdict, reason: '' }) }, isPublic, metrics);
    filter(exchange('/cacerts'), ok);
    if (verdict === 'allow') filter(exchange('/api'), ok);
    else assert.throws(() => filter(exchange('/api'), ok), { code: 403 });
    assert.equal(metrics.authorized[verdict].count, 1, verdict);
  }
});
