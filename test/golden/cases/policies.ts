import type { GoldenCase } from '../golden-case.ts';

export const policies: readonly GoldenCase[] = [
  {
    name: 'ns-default-delete',
    request: 'DELETE /api/v1/namespaces/default',
    status: 403,
    fails: {
      reason: 'Forbidden',
      message: 'namespaces "default" is forbidden: this namespace may not be deleted',
      details: {
        name: 'default',
        kind: 'namespaces',
      },
    },
  },
  {
    name: 'impersonate-denied',
    request: 'GET /api/v1/namespaces/gold/pods',
    headers: {
      'impersonate-user': 'bob',
    },
    status: 403,
    fails: {
      reason: 'Forbidden',
      message: 'pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the namespace "gold"',
      details: {
        kind: 'pods',
      },
    },
  },
  {
    name: 'impersonate-without-user',
    request: 'GET /api/v1/namespaces/gold/pods',
    headers: {
      'impersonate-group': 'g',
    },
    status: 400,
    fails: {
      reason: 'BadRequest',
      message:
        'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"g"}, Extra:map[string][]string(nil)} without impersonating a user name',
    },
  },
  {
    name: 'quota-prep',
    request: 'POST /api/v1/namespaces/gold/resourcequotas',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'q',
      },
      spec: {
        hard: {
          configmaps: '0',
        },
      },
    },
    status: 201,
    answers: {
      kind: 'ResourceQuota',
      apiVersion: 'v1',
      metadata: {
        name: 'q',
        namespace: 'gold',
      },
      spec: {
        hard: {
          configmaps: '0',
        },
      },
      status: {},
    },
  },
  {
    name: 'psa-prep',
    request: 'PATCH /api/v1/namespaces/gold',
    headers: {
      'content-type': 'application/merge-patch+json',
    },
    send: {
      metadata: {
        labels: {
          'pod-security.kubernetes.io/enforce': 'baseline',
          'pod-security.kubernetes.io/warn': 'restricted',
        },
      },
    },
    status: 200,
    answers: {
      kind: 'Namespace',
      apiVersion: 'v1',
      metadata: {
        name: 'gold',
        labels: {
          'kubernetes.io/metadata.name': 'gold',
          'pod-security.kubernetes.io/enforce': 'baseline',
          'pod-security.kubernetes.io/warn': 'restricted',
        },
      },
      spec: {
        finalizers: ['kubernetes'],
      },
      status: {
        phase: 'Active',
      },
    },
  },
  {
    name: 'psa-denied',
    request: 'POST /api/v1/namespaces/gold/pods',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'ps',
      },
      spec: {
        hostNetwork: true,
        containers: [
          {
            name: 'c',
            image: 'i',
          },
        ],
      },
    },
    status: 403,
    fails: {
      reason: 'Forbidden',
      message: 'pods "ps" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',
      details: {
        name: 'ps',
        kind: 'pods',
      },
    },
  },
  {
    name: 'psa-warn',
    request: 'POST /api/v1/namespaces/gold/pods?dryRun=All',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'ps',
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
    status: 201,
    answers: {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: {
        name: 'ps',
        namespace: 'gold',
        generation: 1,
      },
      spec: {
        volumes: [
          {
            name: 'kube-api-access-*****',
            projected: {
              sources: [
                {
                  serviceAccountToken: {
                    expirationSeconds: 3607,
                    path: 'token',
                  },
                },
                {
                  configMap: {
                    name: 'kube-root-ca.crt',
                    items: [
                      {
                        key: 'ca.crt',
                        path: 'ca.crt',
                      },
                    ],
                  },
                },
                {
                  downwardAPI: {
                    items: [
                      {
                        path: 'namespace',
                        fieldRef: {
                          apiVersion: 'v1',
                          fieldPath: 'metadata.namespace',
                        },
                      },
                    ],
                  },
                },
              ],
              defaultMode: 420,
            },
          },
        ],
        containers: [
          {
            name: 'c',
            image: 'i',
            resources: {},
            volumeMounts: [
              {
                name: 'kube-api-access-*****',
                readOnly: true,
                mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
              },
            ],
            terminationMessagePath: '/dev/termination-log',
            terminationMessagePolicy: 'File',
            imagePullPolicy: 'Always',
          },
        ],
        restartPolicy: 'Always',
        terminationGracePeriodSeconds: 30,
        dnsPolicy: 'ClusterFirst',
        serviceAccountName: 'default',
        serviceAccount: 'default',
        securityContext: {},
        schedulerName: 'default-scheduler',
        tolerations: [
          {
            key: 'node.kubernetes.io/not-ready',
            operator: 'Exists',
            effect: 'NoExecute',
            tolerationSeconds: 300,
          },
          {
            key: 'node.kubernetes.io/unreachable',
            operator: 'Exists',
            effect: 'NoExecute',
            tolerationSeconds: 300,
          },
        ],
        priority: 0,
        enableServiceLinks: true,
        preemptionPolicy: 'PreemptLowerPriority',
      },
      status: {
        phase: 'Pending',
        qosClass: 'BestEffort',
      },
    },
    warning:
      '299 - "would violate PodSecurity \\"restricted:latest\\": allowPrivilegeEscalation != false (container \\"c\\" must set securityContext.allowPrivilegeEscal',
  },
  {
    name: 'psa-off',
    request: 'PATCH /api/v1/namespaces/gold',
    headers: {
      'content-type': 'application/merge-patch+json',
    },
    send: {
      metadata: {
        labels: {
          'pod-security.kubernetes.io/enforce': null,
          'pod-security.kubernetes.io/warn': null,
        },
      },
    },
    status: 200,
    answers: {
      kind: 'Namespace',
      apiVersion: 'v1',
      metadata: {
        name: 'gold',
        labels: {
          'kubernetes.io/metadata.name': 'gold',
        },
      },
      spec: {
        finalizers: ['kubernetes'],
      },
      status: {
        phase: 'Active',
      },
    },
  },
  {
    name: 'priorityclass-missing',
    request: 'POST /api/v1/namespaces/gold/pods?dryRun=All',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'pc',
      },
      spec: {
        priorityClassName: 'nope',
        containers: [
          {
            name: 'c',
            image: 'i',
          },
        ],
      },
    },
    status: 403,
    fails: {
      reason: 'Forbidden',
      message: 'pods "pc" is forbidden: no PriorityClass with name nope was found',
      details: {
        name: 'pc',
        kind: 'pods',
      },
    },
  },
  {
    name: 'serviceaccount-missing',
    request: 'POST /api/v1/namespaces/gold/pods?dryRun=All',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'sa',
      },
      spec: {
        serviceAccountName: 'nope',
        containers: [
          {
            name: 'c',
            image: 'i',
          },
        ],
      },
    },
    status: 403,
    fails: {
      reason: 'Forbidden',
      message: 'pods "sa" is forbidden: error looking up service account gold/nope: serviceaccount "nope" not found',
      details: {
        name: 'sa',
        kind: 'pods',
      },
    },
  },
  {
    name: 'runtimeclass-missing',
    request: 'POST /api/v1/namespaces/gold/pods?dryRun=All',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'rc',
      },
      spec: {
        runtimeClassName: 'nope',
        containers: [
          {
            name: 'c',
            image: 'i',
          },
        ],
      },
    },
    status: 403,
    fails: {
      reason: 'Forbidden',
      message: 'pods "rc" is forbidden: pod rejected: RuntimeClass "nope" not found',
      details: {
        name: 'rc',
        kind: 'pods',
      },
    },
  },
  {
    name: 'svc-clusterip-immutable-prep',
    request: 'POST /api/v1/namespaces/gold/services',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'sv',
      },
      spec: {
        ports: [
          {
            port: 1,
          },
        ],
      },
    },
    status: 201,
    answers: {
      kind: 'Service',
      apiVersion: 'v1',
      metadata: {
        name: 'sv',
        namespace: 'gold',
      },
      spec: {
        ports: [
          {
            protocol: 'TCP',
            port: 1,
            targetPort: 1,
          },
        ],
        type: 'ClusterIP',
        sessionAffinity: 'None',
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        internalTrafficPolicy: 'Cluster',
      },
      status: {
        loadBalancer: {},
      },
    },
  },
  {
    name: 'svc-clusterip-immutable',
    request: 'PATCH /api/v1/namespaces/gold/services/sv',
    headers: {
      'content-type': 'application/merge-patch+json',
    },
    send: {
      spec: {
        clusterIP: '10.43.9.9',
      },
    },
    status: 422,
    fails: {
      reason: 'Invalid',
      message: 'Service "sv" is invalid: spec.clusterIPs[0]: Invalid value: ["10.43.9.9"]: may not change once set',
      details: {
        name: 'sv',
        kind: 'Service',
        causes: [
          {
            reason: 'FieldValueInvalid',
            message: 'Invalid value: ["10.43.9.9"]: may not change once set',
            field: 'spec.clusterIPs[0]',
          },
        ],
      },
    },
  },
  {
    name: 'svc-nodeport-range',
    request: 'POST /api/v1/namespaces/gold/services',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'np',
      },
      spec: {
        type: 'NodePort',
        ports: [
          {
            port: 1,
            nodePort: 80,
          },
        ],
      },
    },
    status: 422,
    fails: {
      reason: 'Invalid',
      message:
        'Service "np" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767',
      details: {
        name: 'np',
        kind: 'Service',
        causes: [
          {
            reason: 'FieldValueInvalid',
            message: 'Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767',
            field: 'spec.ports[0].nodePort',
          },
        ],
      },
    },
  },
  {
    name: 'secret-stringData',
    request: 'POST /api/v1/namespaces/gold/secrets',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'sd',
      },
      stringData: {
        a: 'b',
      },
    },
    status: 201,
    answers: {
      kind: 'Secret',
      apiVersion: 'v1',
      metadata: {
        name: 'sd',
        namespace: 'gold',
      },
      data: {
        a: 'Yg==',
      },
      type: 'Opaque',
    },
  },
  {
    name: 'immutable-cm-prep',
    request: 'POST /api/v1/namespaces/gold/configmaps',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'im',
      },
      immutable: true,
      data: {
        a: 'b',
      },
    },
    status: 201,
    answers: {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: {
        name: 'im',
        namespace: 'gold',
      },
      immutable: true,
      data: {
        a: 'b',
      },
    },
  },
  {
    name: 'immutable-cm',
    request: 'PATCH /api/v1/namespaces/gold/configmaps/im',
    headers: {
      'content-type': 'application/merge-patch+json',
    },
    send: {
      data: {
        a: 'c',
      },
    },
    status: 422,
    fails: {
      reason: 'Invalid',
      message: 'ConfigMap "im" is invalid: data: Forbidden: field is immutable when `immutable` is set',
      details: {
        name: 'im',
        kind: 'ConfigMap',
        causes: [
          {
            reason: 'FieldValueForbidden',
            message: 'Forbidden: field is immutable when `immutable` is set',
            field: 'data',
          },
        ],
      },
    },
  },
];
