import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cells, newObject, problems, updated } from '../../../../test/support/kinds.ts';
import { ReplicationController } from '../core/replication-controller.ts';
import { ControllerRevision } from './controller-revision.ts';
import { DaemonSet } from './daemon-set.ts';
import { Deployment } from './deployment.ts';
import { ReplicaSet } from './replica-set.ts';
import { StatefulSet } from './stateful-set.ts';

const template = { metadata: { labels: { a: 'fg' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
const spec = (extra: object = {}) => ({ spec: { selector: { matchLabels: { a: 'fg' } }, template, ...extra } });

describe('Deployment', () => {
  it('has the defaults of Kubernetes', () => {
    const deployment = newObject(Deployment, spec());
    assert.deepEqual(deployment.spec, {
      replicas: 1,
      selector: { matchLabels: { a: 'fg' } },
      template: {
        metadata: { labels: { a: 'fg' } },
        spec: {
          containers: [
            {
              name: 'c',
              image: 'i',
              resources: {},
              terminationMessagePath: '/dev/termination-log',
              terminationMessagePolicy: 'File',
              imagePullPolicy: 'Always',
            },
          ],
          restartPolicy: 'Always',
          terminationGracePeriodSeconds: 30,
          dnsPolicy: 'ClusterFirst',
          securityContext: {},
          schedulerName: 'default-scheduler',
        },
      },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    });
    assert.deepEqual(deployment.status, {});
    assert.equal(deployment.metadata.generation, 1);
  });

  const rows: readonly [string, object, readonly string[]][] = [
    ['nothing wrong', {}, []],
    [
      'a selector of other pods',
      { selector: { matchLabels: { a: 'x' } } },
      ['spec.template.metadata.labels: Invalid value: {"a":"fg"}: `selector` does not match template `labels`'],
    ],
    ['an empty selector', { selector: {} }, ['spec.selector: Invalid value: {}: empty selector is invalid for deployment']],
    ['fewer than no replicas', { replicas: -1 }, ['spec.replicas: Invalid value: -1: must be greater than or equal to 0']],
    [
      'pods that do not restart',
      { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } },
      ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
    ],
    [
      'no way to move',
      { strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 0 } } },
      ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0'],
    ],
    [
      'a rolling update that recreates',
      { strategy: { type: 'Recreate', rollingUpdate: {} } },
      ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
    ],
    [
      'more than all of them',
      { strategy: { rollingUpdate: { maxUnavailable: '101%' } } },
      ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%'],
    ],
  ];
  for (const [title, extra, expected] of rows) {
    it(`with ${title}`, () => assert.deepEqual(problems(Deployment, spec(extra)), expected));
  }

  it('keeps its selector', () => {
    const { errors } = updated(Deployment, newObject(Deployment, spec()), (d) => {
      d.spec.selector = { matchLabels: { b: 'x' } };
      d.spec.template.metadata = { labels: { b: 'x' } };
    });
    assert.deepEqual(errors, ['spec.selector: Invalid value: {"matchLabels":{"b":"x"}}: field is immutable']);
  });

  it('counts changes of its spec, not of its labels', () => {
    const deployment = newObject(Deployment, spec());
    const scaled = updated(Deployment, deployment, (d) => {
      d.spec.replicas = 3;
    });
    assert.equal(scaled.next.metadata.generation, 2);
    const labelled = updated(Deployment, deployment, (d) => {
      d.metadata.labels = { x: 'y' };
    });
    assert.equal(labelled.next.metadata.generation, 1);
  });

  it('is shown with ready of wanted', () => {
    const deployment = newObject(Deployment, spec({ replicas: 3 }));
    deployment.status = { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 2 };
    const row = cells(Deployment, deployment);
    assert.deepEqual(
      [row['Ready'], row['Up-to-date'], row['Available'], row['Containers'], row['Images'], row['Selector']],
      ['2/3', 3, 2, 'c', 'i', 'a=fg'],
    );
  });
});

describe('ReplicaSet', () => {
  it('has a status with counts', () => assert.deepEqual(newObject(ReplicaSet, spec()).status, { replicas: 0 }));
});

describe('DaemonSet', () => {
  it('counts templates in an annotation', () => {
    const set = newObject(DaemonSet, spec());
    const key = 'deprecated.daemonset.template.generation';
    assert.equal(set.metadata.annotations?.[key], '1');
    const { next } = updated(DaemonSet, set, (d) => {
      d.spec.template.metadata = { labels: { a: 'fg', b: 'c' } };
    });
    assert.equal(next.metadata.annotations?.[key], '2');
  });

  it('moves by one or the other', () => {
    const both = { updateStrategy: { rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } } };
    assert.deepEqual(problems(DaemonSet, spec(both)), [
      'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero',
    ]);
    const neither = { updateStrategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 0 } } };
    assert.deepEqual(problems(DaemonSet, spec(neither)), [
      'spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0',
    ]);
  });
});

describe('StatefulSet', () => {
  it('completes claims', () => {
    const claim = {
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    };
    const set = newObject(StatefulSet, spec({ volumeClaimTemplates: [claim] }));
    assert.deepEqual(set.spec.volumeClaimTemplates?.[0]?.status, { phase: 'Pending' });
    assert.equal(set.spec.volumeClaimTemplates?.[0]?.spec.volumeMode, 'Filesystem');
    assert.deepEqual(set.spec.updateStrategy, { type: 'RollingUpdate', rollingUpdate: { partition: 0 } });
  });

  it('keeps what its pods depend on', () => {
    const { errors } = updated(StatefulSet, newObject(StatefulSet, spec()), (s) => {
      s.spec.serviceName = 'other';
    });
    assert.deepEqual(errors, [
      "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    ]);
  });
});

describe('ReplicationController', () => {
  it('selects its template when it says nothing', () => {
    const controller = newObject(ReplicationController, { spec: { template } });
    assert.deepEqual(controller.spec.selector, { a: 'fg' });
    assert.deepEqual(controller.metadata.labels, { a: 'fg' });
  });
});

describe('ControllerRevision', () => {
  it('keeps its data', () => {
    const { errors } = updated(ControllerRevision, newObject(ControllerRevision, { data: { a: 1 }, revision: 1 }), (r) => {
      r.data = { a: 2 };
    });
    assert.deepEqual(errors, ['data: Invalid value: {"a":2}: field is immutable']);
  });
});
