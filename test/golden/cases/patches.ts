import type { GoldenCase } from '../golden-case.ts';

export const patches: readonly GoldenCase[] = [
  {
    name: 'scale-get-prep',
    request: 'POST /apis/apps/v1/namespaces/gold/deployments',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'sc',
      },
      spec: {
        replicas: 2,
        selector: {
          matchLabels: {
            a: 'sc',
          },
        },
        template: {
          metadata: {
            labels: {
              a: 'sc',
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
        name: 'sc',
        namespace: 'gold',
        generation: 1,
      },
      spec: {
        replicas: 2,
        selector: {
          matchLabels: {
            a: 'sc',
          },
        },
        template: {
          metadata: {
            labels: {
              a: 'sc',
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
  {
    name: 'ssa-create',
    request: 'PATCH /api/v1/namespaces/gold/configmaps/ssa?fieldManager=m1',
    headers: {
      'content-type': 'application/apply-patch+yaml',
    },
    send: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'ssa',
      },
      data: {
        a: '1',
        b: '1',
      },
    },
    status: 201,
    answers: {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: {
        name: 'ssa',
        namespace: 'gold',
        managedFields: [
          {
            manager: 'm1',
            operation: 'Apply',
            apiVersion: 'v1',
            fieldsType: 'FieldsV1',
            fieldsV1: {
              'f:data': {
                'f:a': {},
                'f:b': {},
              },
            },
          },
        ],
      },
      data: {
        a: '1',
        b: '1',
      },
    },
  },
  {
    name: 'ssa-conflict',
    request: 'PATCH /api/v1/namespaces/gold/configmaps/ssa?fieldManager=m2',
    headers: {
      'content-type': 'application/apply-patch+yaml',
    },
    send: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'ssa',
      },
      data: {
        a: '2',
      },
    },
    status: 409,
    fails: {
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "m1": .data.a',
      details: {
        causes: [
          {
            reason: 'FieldManagerConflict',
            message: 'conflict with "m1"',
            field: '.data.a',
          },
        ],
      },
    },
  },
  {
    name: 'ssa-force',
    request: 'PATCH /api/v1/namespaces/gold/configmaps/ssa?fieldManager=m2&force=true',
    headers: {
      'content-type': 'application/apply-patch+yaml',
    },
    send: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'ssa',
      },
      data: {
        a: '2',
      },
    },
    status: 200,
    answers: {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: {
        name: 'ssa',
        namespace: 'gold',
        managedFields: [
          {
            manager: 'm1',
            operation: 'Apply',
            apiVersion: 'v1',
            fieldsType: 'FieldsV1',
            fieldsV1: {
              'f:data': {
                'f:b': {},
              },
            },
          },
          {
            manager: 'm2',
            operation: 'Apply',
            apiVersion: 'v1',
            fieldsType: 'FieldsV1',
            fieldsV1: {
              'f:data': {
                'f:a': {},
              },
            },
          },
        ],
      },
      data: {
        a: '2',
        b: '1',
      },
    },
  },
  {
    name: 'ssa-drop-field',
    request: 'PATCH /api/v1/namespaces/gold/configmaps/ssa?fieldManager=m1',
    headers: {
      'content-type': 'application/apply-patch+yaml',
    },
    send: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'ssa',
      },
      data: {},
    },
    status: 200,
    answers: {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: {
        name: 'ssa',
        namespace: 'gold',
        managedFields: [
          {
            manager: 'm1',
            operation: 'Apply',
            apiVersion: 'v1',
            fieldsType: 'FieldsV1',
            fieldsV1: {
              'f:data': {},
            },
          },
          {
            manager: 'm2',
            operation: 'Apply',
            apiVersion: 'v1',
            fieldsType: 'FieldsV1',
            fieldsV1: {
              'f:data': {
                'f:a': {},
              },
            },
          },
        ],
      },
      data: {
        a: '2',
      },
    },
  },
  {
    name: 'ssa-no-manager',
    request: 'PATCH /api/v1/namespaces/gold/configmaps/ssa',
    headers: {
      'content-type': 'application/apply-patch+yaml',
    },
    send: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'ssa',
      },
    },
    status: 422,
    fails: {
      reason: 'Invalid',
      message: 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      details: {
        group: 'meta.k8s.io',
        kind: 'PatchOptions',
        causes: [
          {
            reason: 'FieldValueRequired',
            message: 'Required value: is required for apply patch',
            field: 'fieldManager',
          },
        ],
      },
    },
  },
  {
    name: 'ssa-managedfields',
    request: 'PATCH /api/v1/namespaces/gold/configmaps/ssa?fieldManager=m1',
    headers: {
      'content-type': 'application/apply-patch+yaml',
    },
    send: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'ssa',
        managedFields: [
          {
            manager: 'x',
          },
        ],
      },
    },
    status: 400,
    fails: {
      reason: 'BadRequest',
      message: 'metadata.managedFields must be nil',
    },
  },
  {
    name: 'force-non-apply',
    request: 'PATCH /api/v1/namespaces/gold/configmaps/ssa?force=true',
    headers: {
      'content-type': 'application/merge-patch+json',
    },
    send: {},
    status: 422,
    fails: {
      reason: 'Invalid',
      message: 'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
      details: {
        group: 'meta.k8s.io',
        kind: 'PatchOptions',
        causes: [
          {
            reason: 'FieldValueForbidden',
            message: 'Forbidden: may not be specified for non-apply patch',
            field: 'force',
          },
        ],
      },
    },
  },
  {
    name: 'jsonpatch-test-fails',
    request: 'PATCH /api/v1/namespaces/gold/configmaps/ssa',
    headers: {
      'content-type': 'application/json-patch+json',
    },
    send: [
      {
        op: 'test',
        path: '/data/a',
        value: 'zzz',
      },
    ],
    status: 422,
    fails: {
      reason: 'Invalid',
      message: 'the server rejected our request due to an error in our request',
      details: {},
    },
  },
  {
    name: 'jsonpatch-missing-path',
    request: 'PATCH /api/v1/namespaces/gold/configmaps/ssa',
    headers: {
      'content-type': 'application/json-patch+json',
    },
    send: [
      {
        op: 'remove',
        path: '/data/nope',
      },
    ],
    status: 422,
    fails: {
      reason: 'Invalid',
      message: 'the server rejected our request due to an error in our request',
      details: {},
    },
  },
  {
    name: 'patch-rv-conflict',
    request: 'PATCH /api/v1/namespaces/gold/configmaps/ssa',
    headers: {
      'content-type': 'application/merge-patch+json',
    },
    send: {
      metadata: {
        resourceVersion: '1',
      },
      data: {
        q: '1',
      },
    },
    status: 409,
    fails: {
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on configmaps "ssa": the object has been modified; please apply your changes to the latest version and try again',
      details: {
        name: 'ssa',
        kind: 'configmaps',
      },
    },
  },
  {
    name: 'patch-missing',
    request: 'PATCH /api/v1/namespaces/gold/configmaps/missing',
    headers: {
      'content-type': 'application/merge-patch+json',
    },
    send: {},
    status: 404,
    fails: {
      reason: 'NotFound',
      message: 'configmaps "missing" not found',
      details: {
        name: 'missing',
        kind: 'configmaps',
      },
    },
  },
];
