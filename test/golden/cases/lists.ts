import type { GoldenCase } from '../golden-case.ts';

export const lists: readonly GoldenCase[] = [
  {
    name: 'list-limit',
    request: 'GET /api/v1/namespaces/gold/configmaps?limit=1',
    status: 200,
    answers: {
      kind: 'ConfigMapList',
      apiVersion: 'v1',
      metadata: {
        remainingItemCount: 2,
      },
      items: [
        {
          metadata: {
            name: 'g1',
            namespace: 'gold',
          },
          data: {
            a: 'c',
          },
        },
      ],
    },
  },
  {
    name: 'list-limit-rv0',
    request: 'GET /api/v1/namespaces/gold/configmaps?limit=1&resourceVersion=0',
    status: 200,
    answers: {
      kind: 'ConfigMapList',
      apiVersion: 'v1',
      metadata: {},
      items: [
        {
          metadata: {
            name: 'g1',
            namespace: 'gold',
          },
          data: {
            a: 'c',
          },
        },
        {
          metadata: {
            name: 'gn-*****',
            generateName: 'gn-',
            namespace: 'gold',
          },
        },
        {
          metadata: {
            name: 'w1',
            namespace: 'gold',
          },
        },
      ],
    },
  },
  {
    name: 'list-rv-bad',
    request: 'GET /api/v1/namespaces/gold/configmaps?resourceVersion=abc',
    status: 400,
    fails: {
      reason: 'BadRequest',
      message:
        'invalid resource version: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
    },
  },
  {
    name: 'list-rv-future',
    request: 'GET /api/v1/namespaces/gold/configmaps?resourceVersion=99999999',
    status: 504,
    fails: {
      reason: 'Timeout',
      message: 'Timeout: Too large resource version: 99999999, current: *',
      details: {
        causes: [
          {
            reason: 'ResourceVersionTooLarge',
            message: 'Too large resource version',
          },
        ],
        retryAfterSeconds: 1,
      },
    },
  },
  {
    name: 'list-exact-future',
    request: 'GET /api/v1/namespaces/gold/configmaps?resourceVersion=99999999&resourceVersionMatch=Exact',
    status: 504,
    fails: {
      reason: 'Timeout',
      message: 'Timeout: Too large resource version: 99999999, current: *',
      details: {
        causes: [
          {
            reason: 'ResourceVersionTooLarge',
            message: 'Too large resource version',
          },
        ],
        retryAfterSeconds: 1,
      },
    },
  },
  {
    name: 'list-match-without-rv',
    request: 'GET /api/v1/namespaces/gold/configmaps?resourceVersionMatch=Exact',
    status: 422,
    fails: {
      reason: 'Invalid',
      message:
        'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
      details: {
        group: 'meta.k8s.io',
        kind: 'ListOptions',
        causes: [
          {
            reason: 'FieldValueForbidden',
            message: 'Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
            field: 'resourceVersionMatch',
          },
        ],
      },
    },
  },
  {
    name: 'list-exact-0',
    request: 'GET /api/v1/namespaces/gold/configmaps?resourceVersion=0&resourceVersionMatch=Exact',
    status: 422,
    fails: {
      reason: 'Invalid',
      message:
        'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
      details: {
        group: 'meta.k8s.io',
        kind: 'ListOptions',
        causes: [
          {
            reason: 'FieldValueForbidden',
            message: 'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
            field: 'resourceVersionMatch',
          },
        ],
      },
    },
  },
  {
    name: 'list-continue-bad',
    request: 'GET /api/v1/namespaces/gold/configmaps?continue=abc',
    status: 400,
    fails: {
      reason: 'BadRequest',
      message: "invalid continue token: continue key is not valid: invalid character 'i' looking for beginning of value",
    },
  },
  {
    name: 'list-fieldselector-bad',
    request: 'GET /api/v1/namespaces/gold/configmaps?fieldSelector=data.a%3Db',
    status: 400,
    fails: {
      reason: 'BadRequest',
      message: '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"',
    },
  },
  {
    name: 'list-labelselector-bad',
    request: 'GET /api/v1/namespaces/gold/configmaps?labelSelector=%3D%3Db',
    status: 400,
    fails: {
      reason: 'BadRequest',
      message: "found '==', expected: !, identifier, or 'end of string'",
    },
  },
  {
    name: 'watch-rv0',
    request: 'GET /api/v1/namespaces/gold/configmaps?watch=1&resourceVersion=0&timeoutSeconds=1',
    status: 200,
    events: ['ADDED g1', 'ADDED gn-*****', 'ADDED w1'],
  },
  {
    name: 'watch-list',
    request:
      'GET /api/v1/namespaces/gold/configmaps?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=2',
    status: 200,
    events: ['ADDED g1', 'ADDED gn-*****', 'ADDED w1', 'BOOKMARK'],
  },
  {
    name: 'watch-list-no-match',
    request: 'GET /api/v1/namespaces/gold/configmaps?watch=1&sendInitialEvents=true&timeoutSeconds=2',
    status: 422,
    fails: {
      reason: 'Invalid',
      message:
        'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
      details: {
        group: 'meta.k8s.io',
        kind: 'ListOptions',
        causes: [
          {
            reason: 'FieldValueForbidden',
            message: 'Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
            field: 'resourceVersionMatch',
          },
        ],
      },
    },
  },
  {
    name: 'list-sendInitialEvents',
    request: 'GET /api/v1/namespaces/gold/configmaps?sendInitialEvents=true',
    status: 422,
    fails: {
      reason: 'Invalid',
      message: 'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list',
      details: {
        group: 'meta.k8s.io',
        kind: 'ListOptions',
        causes: [
          {
            reason: 'FieldValueForbidden',
            message: 'Forbidden: sendInitialEvents is forbidden for list',
            field: 'sendInitialEvents',
          },
        ],
      },
    },
  },
  {
    name: 'watch-too-old',
    request: 'GET /api/v1/namespaces/gold/configmaps?watch=1&resourceVersion=1&timeoutSeconds=1',
    status: 200,
    events: ['ADDED g1', 'ADDED gn-*****', 'MODIFIED g1', 'ADDED w1'],
  },
  {
    name: 'watch-future',
    request: 'GET /api/v1/namespaces/gold/configmaps?watch=1&resourceVersion=99999999&timeoutSeconds=2',
    status: 200,
    events: [],
  },
];
