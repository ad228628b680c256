import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type * as t from '../generated/types.ts';
import { fromV2, toV2 } from './autoscaling/conversion.ts';
import { fromCoreEvent, toCoreEvent } from './events/conversion.ts';

const metadata: t.ObjectMeta = { name: 'a', namespace: 'b', uid: 'u', resourceVersion: '1', creationTimestamp: 'x' };
const scaleTargetRef = { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' };

describe('HorizontalPodAutoscaler', () => {
  const v1 = (spec: object): t.HorizontalPodAutoscaler => ({
    kind: 'HorizontalPodAutoscaler',
    apiVersion: 'autoscaling/v1',
    metadata,
    spec: { scaleTargetRef, maxReplicas: 3, ...spec },
    status: { currentReplicas: 0, desiredReplicas: 0 },
  });

  it('of v1 asks for CPU in the words of v2', () => {
    const { spec } = toV2(v1({ targetCPUUtilizationPercentage: 50 }));
    assert.deepEqual(spec.metrics, [
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
    ]);
  });

  it('of v2 does not say that there are no replicas', () => {
    assert.deepEqual(toV2(v1({})).status, { desiredReplicas: 0 });
  });

  it('of v1 asks for 80 % of CPU by default', () => {
    assert.equal(toV2(v1({})).spec.metrics?.[0]?.resource?.target.averageUtilization, 80);
  });

  it('of v2 survives a client of v1', () => {
    const object = { type: 'Value', value: '5' };
    const v2: t.HorizontalPodAutoscalerV2 = {
      kind: 'HorizontalPodAutoscaler',
      apiVersion: 'autoscaling/v2',
      metadata: { ...metadata, annotations: { keep: 'me' } },
      spec: {
        scaleTargetRef,
        maxReplicas: 5,
        minReplicas: 1,
        behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
        metrics: [
          { type: 'Object', object: { describedObject: scaleTargetRef, metric: { name: 'm' }, target: object } },
          { type: 'Pods', pods: { metric: { name: 'p' }, target: { type: 'AverageValue', averageValue: '3' } } },
          { type: 'External', external: { metric: { name: 'e' }, target: { type: 'AverageValue', averageValue: '2' } } },
          { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } } },
          {
            type: 'ContainerResource',
            containerResource: { name: 'cpu', container: 'c', target: { type: 'Utilization', averageUtilization: 20 } },
          },
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
        ],
      },
      status: {
        currentReplicas: 2,
        desiredReplicas: 3,
        conditions: [{ type: 'AbleToScale', status: 'True' }],
        currentMetrics: [
          { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 40, averageValue: '200m' } } },
        ],
      },
    };
    const seen = fromV2(v2);
    assert.equal(seen.spec.targetCPUUtilizationPercentage, 50);
    assert.equal(seen.status.currentCPUUtilizationPercentage, 40);
    assert.equal(seen.metadata.annotations?.['keep'], 'me');
    assert.deepEqual(toV2(seen), v2);
  });
});

describe('Event', () => {
  it('of events.k8s.io is stored under other names', () => {
    const event: t.EventsEvent = {
      kind: 'Event',
      apiVersion: 'events.k8s.io/v1',
      metadata,
      eventTime: '2026-11-21T00:00:00.000000Z',
      regarding: { kind: 'Pod', name: 'p' },
      note: 'text',
      reason: 'Why',
      action: 'Doing',
      type: 'Normal',
      reportingController: 'a.b/c',
      reportingInstance: 'c-1',
      series: { count: 2, lastObservedTime: 'x' },
      deprecatedCount: 3,
      deprecatedSource: { component: 'k' },
    };
    const stored = toCoreEvent(event);
    assert.deepEqual(
      [stored.involvedObject, stored.message, stored.reportingComponent],
      [{ kind: 'Pod', name: 'p' }, 'text', 'a.b/c'],
    );
    assert.deepEqual(fromCoreEvent(stored), event);
  });
});
