import type { GoldenCase } from '../golden-case.ts';

export const representations: readonly GoldenCase[] = [
  {
    name: 'method-not-allowed',
    request: 'PUT /api/v1/namespaces/gold/configmaps',
    headers: {
      'content-type': 'application/json',
    },
    send: {},
    status: 405,
    fails: {
      reason: 'MethodNotAllowed',
      message: 'the server does not allow this method on the requested resource',
      details: {},
    },
  },
  {
    name: 'not-acceptable',
    request: 'GET /api/v1/namespaces/gold/configmaps/g1',
    headers: {
      accept: 'application/xml',
    },
    status: 406,
    fails: {
      reason: 'NotAcceptable',
      message:
        '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf',
      details: {},
    },
  },
  {
    name: 'table',
    request: 'GET /api/v1/namespaces/gold/configmaps?limit=1',
    headers: {
      accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
    },
    status: 200,
    answers: {
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      metadata: {
        remainingItemCount: 2,
      },
      columnDefinitions: [
        {
          name: 'Name',
          type: 'string',
          format: 'name',
          priority: 0,
        },
        {
          name: 'Data',
          type: 'string',
          format: '',
          priority: 0,
        },
        {
          name: 'Age',
          type: 'string',
          format: '',
          priority: 0,
        },
      ],
      rows: [
        {
          cells: ['g1', 1, 'age'],
          object: {
            kind: 'PartialObjectMetadata',
            apiVersion: 'meta.k8s.io/v1',
            metadata: {
              name: 'g1',
              namespace: 'gold',
            },
          },
        },
      ],
    },
  },
  {
    name: 'table-nodata',
    request: 'GET /api/v1/namespaces/gold/configmaps/g1?includeObject=None',
    headers: {
      accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
    },
    status: 200,
    answers: {
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      metadata: {},
      columnDefinitions: [
        {
          name: 'Name',
          type: 'string',
          format: 'name',
          priority: 0,
        },
        {
          name: 'Data',
          type: 'string',
          format: '',
          priority: 0,
        },
        {
          name: 'Age',
          type: 'string',
          format: '',
          priority: 0,
        },
      ],
      rows: [
        {
          cells: ['g1', 1, 'age'],
          object: null,
        },
      ],
    },
  },
  {
    name: 'table-406',
    request: 'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
    },
    send: {
      spec: {
        resourceAttributes: {
          verb: 'get',
          resource: 'pods',
        },
      },
    },
    status: 406,
    fails: {
      reason: 'NotAcceptable',
      message:
        'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    },
  },
  {
    name: 'partialmeta',
    request: 'GET /api/v1/namespaces/gold/configmaps/g1',
    headers: {
      accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
    },
    status: 200,
    answers: {
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: {
        name: 'g1',
        namespace: 'gold',
      },
    },
  },
  {
    name: 'yaml',
    request: 'GET /api/v1/namespaces/gold/configmaps/g1',
    headers: {
      accept: 'application/yaml',
    },
    status: 200,
    deviates: 'a key that is a dot is quoted',
  },
  {
    name: 'ssar',
    request: 'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      spec: {
        resourceAttributes: {
          verb: 'get',
          resource: 'pods',
        },
      },
    },
    status: 201,
    answers: {
      kind: 'SelfSubjectAccessReview',
      apiVersion: 'authorization.k8s.io/v1',
      metadata: {},
      spec: {
        resourceAttributes: {
          verb: 'get',
          resource: 'pods',
        },
      },
      status: {
        allowed: true,
      },
    },
  },
];
