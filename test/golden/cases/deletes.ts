import type { GoldenCase } from '../golden-case.ts';

export const deletes: readonly GoldenCase[] = [
  {
    name: 'delete',
    request: 'GET /api/v1/namespaces/gold/configmaps/g1',
    status: 200,
    answers: {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: {
        name: 'g1',
        namespace: 'gold',
      },
      data: {
        a: 'c',
      },
    },
  },
  {
    name: 'delete-uid-precondition',
    request: 'DELETE /api/v1/namespaces/gold/configmaps/g1',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      preconditions: {
        uid: 'zz',
      },
    },
    status: 409,
    fails: {
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on ConfigMap "g1": the UID in the precondition (zz) does not match the UID in record (*). The object might have been deleted and then recreated',
      details: {
        name: 'g1',
        kind: 'ConfigMap',
      },
    },
  },
  {
    name: 'delete-bad-propagation',
    request: 'DELETE /api/v1/namespaces/gold/configmaps/g1?propagationPolicy=Foo',
    status: 422,
    fails: {
      reason: 'Invalid',
      message:
        'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Foo": supported values: "Foreground", "Background", "Orphan", "nil"',
      details: {
        group: 'meta.k8s.io',
        kind: 'DeleteOptions',
        causes: [
          {
            reason: 'FieldValueNotSupported',
            message: 'Unsupported value: "Foo": supported values: "Foreground", "Background", "Orphan", "nil"',
            field: 'propagationPolicy',
          },
        ],
      },
    },
  },
  {
    name: 'delete-both',
    request: 'DELETE /api/v1/namespaces/gold/configmaps/g1?propagationPolicy=Orphan&orphanDependents=true',
    status: 422,
    fails: {
      reason: 'Invalid',
      message:
        'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set',
      details: {
        group: 'meta.k8s.io',
        kind: 'DeleteOptions',
        causes: [
          {
            reason: 'FieldValueInvalid',
            message: 'Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set',
            field: 'propagationPolicy',
          },
        ],
      },
    },
  },
  {
    name: 'delete-ok',
    request: 'DELETE /api/v1/namespaces/gold/configmaps/g1',
    status: 200,
    answers: {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: {
        name: 'g1',
        kind: 'configmaps',
      },
    },
  },
  {
    name: 'deletecollection',
    request: 'DELETE /api/v1/namespaces/gold/configmaps?labelSelector=none%3Dx',
    status: 200,
    answers: {
      kind: 'ConfigMapList',
      apiVersion: 'v1',
      metadata: {},
      items: [],
    },
  },
  {
    name: 'delete-foreground-prep',
    request: 'POST /apis/apps/v1/namespaces/gold/deployments',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'fg',
      },
      spec: {
        selector: {
          matchLabels: {
            a: 'fg',
          },
        },
        template: {
          metadata: {
            labels: {
              a: 'fg',
            },
          },
          spec: {
            containers: [
              {
                name: 'c',
                image: 'i',
              },
            ],
          },
        },
      },
    },
    status: 201,
    answers: {
      kind: 'Deployment',
      apiVersion: 'apps/v1',
      metadata: {
        name: 'fg',
        namespace: 'gold',
        generation: 1,
      },
      spec: {
        replicas: 1,
        selector: {
          matchLabels: {
            a: 'fg',
          },
        },
        template: {
          metadata: {
            labels: {
              a: 'fg',
            },
          },
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
        strategy: {
          type: 'RollingUpdate',
          rollingUpdate: {
            maxUnavailable: '25%',
            maxSurge: '25%',
          },
        },
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
      },
      status: {},
    },
  },
];
