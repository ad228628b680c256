import type { GoldenCase } from '../golden-case.ts';

export const writes: readonly GoldenCase[] = [
  {
    name: 'notfound-object',
    request: 'GET /api/v1/namespaces/gold/pods/nope',
    status: 404,
    fails: {
      reason: 'NotFound',
      message: 'pods "nope" not found',
      details: {
        name: 'nope',
        kind: 'pods',
      },
    },
  },
  {
    name: 'notfound-resource',
    request: 'GET /api/v1/namespaces/gold/foos',
    status: 404,
    fails: {
      reason: 'NotFound',
      message: 'the server could not find the requested resource',
      details: {},
    },
  },
  {
    name: 'notfound-path',
    request: 'GET /nope',
    status: 404,
    text: '404 page not found',
  },
  {
    name: 'create-in-missing-namespace',
    request: 'POST /api/v1/namespaces/nons/configmaps',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'a',
      },
    },
    status: 404,
    fails: {
      reason: 'NotFound',
      message: 'namespaces "nons" not found',
      details: {
        name: 'nons',
        kind: 'namespaces',
      },
    },
  },
  {
    name: 'create',
    request: 'POST /api/v1/namespaces/gold/configmaps',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'g1',
      },
      data: {
        a: 'b',
      },
    },
    status: 201,
    answers: {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: {
        name: 'g1',
        namespace: 'gold',
      },
      data: {
        a: 'b',
      },
    },
  },
  {
    name: 'duplicate',
    request: 'POST /api/v1/namespaces/gold/configmaps',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'g1',
      },
    },
    status: 409,
    fails: {
      reason: 'AlreadyExists',
      message: 'configmaps "g1" already exists',
      details: {
        name: 'g1',
        kind: 'configmaps',
      },
    },
  },
  {
    name: 'no-name',
    request: 'POST /api/v1/namespaces/gold/configmaps',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {},
    },
    status: 422,
    fails: {
      reason: 'Invalid',
      message: 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
      details: {
        kind: 'ConfigMap',
        causes: [
          {
            reason: 'FieldValueRequired',
            message: 'Required value: name or generateName is required',
            field: 'metadata.name',
          },
        ],
      },
    },
  },
  {
    name: 'generateName',
    request: 'POST /api/v1/namespaces/gold/configmaps',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        generateName: 'gn-',
      },
    },
    status: 201,
    answers: {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: {
        name: 'gn-*****',
        generateName: 'gn-',
        namespace: 'gold',
      },
    },
  },
  {
    name: 'wrong-kind',
    request: 'POST /api/v1/namespaces/gold/configmaps',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: {
        name: 'g2',
      },
    },
    status: 400,
    fails: {
      reason: 'BadRequest',
      message:
        'Pod in version "v1" cannot be handled as a ConfigMap: converting (v1.Pod) to (core.ConfigMap): unknown conversion',
    },
  },
  {
    name: 'wrong-apiversion',
    request: 'POST /api/v1/namespaces/gold/configmaps',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      kind: 'ConfigMap',
      apiVersion: 'v2',
      metadata: {
        name: 'g2',
      },
    },
    status: 400,
    fails: {
      reason: 'BadRequest',
      message:
        'ConfigMap in version "v2" cannot be handled as a ConfigMap: no kind "ConfigMap" is registered for version "v2" in scheme "pkg/api/legacyscheme/scheme.go:30"',
    },
  },
  {
    name: 'wrong-namespace',
    request: 'POST /api/v1/namespaces/gold/configmaps',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'g2',
        namespace: 'other',
      },
    },
    status: 400,
    fails: {
      reason: 'BadRequest',
      message: 'the namespace of the provided object does not match the namespace sent on the request',
    },
  },
  {
    name: 'bad-json',
    request: 'POST /api/v1/namespaces/gold/configmaps',
    headers: {
      'content-type': 'application/json',
    },
    send: '{"metadata":',
    status: 400,
    fails: {
      reason: 'BadRequest',
      message:
        'the object provided is unrecognized (must be of type ConfigMap): couldn\'t get version/kind; json parse error: unexpected end of JSON input ({"metadata":)',
    },
  },
  {
    name: 'wrong-field-type',
    request: 'POST /api/v1/namespaces/gold/configmaps',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'g3',
      },
      data: {
        a: 1,
      },
    },
    status: 400,
    fails: {
      reason: 'BadRequest',
      message:
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
    },
  },
  {
    name: 'rv-on-create',
    request: 'POST /api/v1/namespaces/gold/configmaps',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'g4',
        resourceVersion: '5',
      },
    },
    status: 500,
    fails: {
      message: 'resourceVersion should not be set on objects to be created',
    },
  },
  {
    name: 'conflict',
    request: 'PUT /api/v1/namespaces/gold/configmaps/g1',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'g1',
        resourceVersion: '1',
      },
    },
    status: 409,
    fails: {
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on configmaps "g1": the object has been modified; please apply your changes to the latest version and try again',
      details: {
        name: 'g1',
        kind: 'configmaps',
      },
    },
  },
  {
    name: 'unconditional-update',
    request: 'PUT /api/v1/namespaces/gold/configmaps/g1',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'g1',
      },
      data: {
        a: 'c',
      },
    },
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
    name: 'name-mismatch',
    request: 'PUT /api/v1/namespaces/gold/configmaps/g1',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'g9',
      },
    },
    status: 400,
    fails: {
      reason: 'BadRequest',
      message: 'the name of the object (g9) does not match the name on the URL (g1)',
    },
  },
  {
    name: 'uid-mismatch',
    request: 'PUT /api/v1/namespaces/gold/configmaps/g1',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'g1',
        uid: 'zzz',
      },
    },
    status: 409,
    fails: {
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on configmaps "g1": StorageError: invalid object, Code: 4, Key: /registry/configmaps/gold/g1, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: zzz, UID in object meta: *',
      details: {
        name: 'g1',
        kind: 'configmaps',
      },
    },
  },
  {
    name: 'put-missing',
    request: 'PUT /api/v1/namespaces/gold/configmaps/gone',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'gone',
      },
    },
    status: 404,
    fails: {
      reason: 'NotFound',
      message: 'configmaps "gone" not found',
      details: {
        name: 'gone',
        kind: 'configmaps',
      },
    },
  },
  {
    name: 'put-missing-upsert-lease',
    request: 'PUT /apis/coordination.k8s.io/v1/namespaces/gold/leases/l1',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'l1',
      },
      spec: {
        holderIdentity: 'x',
      },
    },
    status: 201,
    answers: {
      kind: 'Lease',
      apiVersion: 'coordination.k8s.io/v1',
      metadata: {
        name: 'l1',
        namespace: 'gold',
      },
      spec: {
        holderIdentity: 'x',
      },
    },
  },
  {
    name: 'lease-update-without-rv',
    request: 'PUT /apis/coordination.k8s.io/v1/namespaces/gold/leases/l1',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'l1',
      },
      spec: {
        holderIdentity: 'y',
      },
    },
    status: 422,
    fails: {
      reason: 'Invalid',
      message:
        'leases.coordination.k8s.io "l1" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
      details: {
        name: 'l1',
        group: 'coordination.k8s.io',
        kind: 'leases',
        causes: [
          {
            reason: 'FieldValueInvalid',
            message: 'Invalid value: 0: must be specified for an update',
            field: 'metadata.resourceVersion',
          },
        ],
      },
    },
  },
  {
    name: 'invalid',
    request: 'POST /api/v1/namespaces/gold/pods',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'Bad_Name',
      },
      spec: {
        containers: [
          {
            name: 'c',
          },
        ],
      },
    },
    status: 422,
    fails: {
      reason: 'Invalid',
      message:
        "Pod \"Bad_Name\" is invalid: [metadata.name: Invalid value: \"Bad_Name\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*'), spec.containers[0].image: Required value]",
      details: {
        name: 'Bad_Name',
        kind: 'Pod',
        causes: [
          {
            reason: 'FieldValueInvalid',
            message:
              "Invalid value: \"Bad_Name\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
            field: 'metadata.name',
          },
          {
            reason: 'FieldValueRequired',
            message: 'Required value',
            field: 'spec.containers[0].image',
          },
        ],
      },
    },
  },
  {
    name: 'unknown-field-warn',
    request: 'POST /api/v1/namespaces/gold/configmaps',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'w1',
      },
      bogus: 1,
    },
    status: 201,
    answers: {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: {
        name: 'w1',
        namespace: 'gold',
      },
    },
    warning: '299 - "unknown field \\"bogus\\""',
  },
  {
    name: 'unknown-field-strict',
    request: 'POST /api/v1/namespaces/gold/configmaps?fieldValidation=Strict',
    headers: {
      'content-type': 'application/json',
    },
    send: '{"metadata":{"name":"w2"},"bogus":1,"data":{"a":"1","a":"2"}}',
    status: 400,
    fails: {
      reason: 'BadRequest',
      message:
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "bogus", duplicate field "data.a"',
    },
  },
  {
    name: 'fieldvalidation-bad',
    request: 'POST /api/v1/namespaces/gold/configmaps?fieldValidation=Foo',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'w3',
      },
    },
    status: 422,
    fails: {
      reason: 'Invalid',
      message:
        'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Foo": supported values: "", "Ignore", "Strict", "Warn"',
      details: {
        group: 'meta.k8s.io',
        kind: 'CreateOptions',
        causes: [
          {
            reason: 'FieldValueNotSupported',
            message: 'Unsupported value: "Foo": supported values: "", "Ignore", "Strict", "Warn"',
            field: 'fieldValidation',
          },
        ],
      },
    },
  },
  {
    name: 'dryrun',
    request: 'POST /api/v1/namespaces/gold/configmaps?dryRun=All',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'w4',
      },
    },
    status: 201,
    answers: {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: {
        name: 'w4',
        namespace: 'gold',
      },
    },
  },
  {
    name: 'unsupported-media',
    request: 'PATCH /api/v1/namespaces/gold/configmaps/g1',
    headers: {
      'content-type': 'application/json',
    },
    send: {},
    status: 415,
    fails: {
      reason: 'UnsupportedMediaType',
      message: '415: Unsupported Media Type',
      details: {},
    },
  },
];
