import type { GoldenCase } from '../golden-case.ts';

export const pods: readonly GoldenCase[] = [
  {
    name: 'evict-missing',
    request: 'POST /api/v1/namespaces/gold/pods/nope/eviction',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: {
        name: 'nope',
      },
    },
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
    name: 'log-no-node-prep',
    request: 'POST /api/v1/namespaces/gold/pods',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      metadata: {
        name: 'lp',
      },
      spec: {
        containers: [
          {
            name: 'c1',
            image: 'i',
          },
          {
            name: 'c2',
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
        name: 'lp',
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
            name: 'c1',
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
          {
            name: 'c2',
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
  },
  {
    name: 'log-needs-container',
    request: 'GET /api/v1/namespaces/gold/pods/lp/log',
    status: 400,
    fails: {
      reason: 'BadRequest',
      message: 'a container name must be specified for pod lp, choose one of: [c1 c2]',
    },
  },
  {
    name: 'log-not-scheduled',
    request: 'GET /api/v1/namespaces/gold/pods/lp/log?container=c1',
    status: 204,
  },
  {
    name: 'exec-no-upgrade',
    request: 'GET /api/v1/namespaces/gold/pods/lp/exec?command=ls&container=c1&stdout=true',
    status: 400,
    fails: {
      reason: 'BadRequest',
      message: 'pod lp does not have a host assigned',
    },
  },
  {
    name: 'pod-immutable',
    request: 'PATCH /api/v1/namespaces/gold/pods/lp',
    headers: {
      'content-type': 'application/merge-patch+json',
    },
    send: {
      spec: {
        hostNetwork: true,
      },
    },
    status: 422,
    deviates: 'names the changed fields instead of a diff of Go structs',
  },
  {
    name: 'binding',
    request: 'POST /api/v1/namespaces/gold/pods/lp/binding',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: {
        name: 'lp',
      },
      target: {
        kind: 'Node',
        name: 'n1',
      },
    },
    status: 201,
    answers: {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      code: 201,
    },
  },
  {
    name: 'binding-again',
    request: 'POST /api/v1/namespaces/gold/pods/lp/binding',
    headers: {
      'content-type': 'application/json',
    },
    send: {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: {
        name: 'lp',
      },
      target: {
        kind: 'Node',
        name: 'n2',
      },
    },
    status: 409,
    fails: {
      reason: 'Conflict',
      message: 'Operation cannot be fulfilled on pods/binding "lp": pod lp is already assigned to node "n1"',
      details: {
        name: 'lp',
        kind: 'pods/binding',
      },
    },
  },
  {
    name: 'delete-scheduled-pod',
    request: 'DELETE /api/v1/namespaces/gold/pods/lp',
    status: 200,
    answers: {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: {
        name: 'lp',
        namespace: 'gold',
        generation: 2,
        deletionGracePeriodSeconds: 30,
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
            name: 'c1',
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
          {
            name: 'c2',
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
        nodeName: 'n1',
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
        conditions: [
          {
            type: 'PodScheduled',
            status: 'True',
          },
        ],
        qosClass: 'BestEffort',
      },
    },
  },
  {
    name: 'delete-scheduled-pod-force',
    request: 'DELETE /api/v1/namespaces/gold/pods/lp?gracePeriodSeconds=0',
    status: 200,
    answers: {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: {
        name: 'lp',
        namespace: 'gold',
        generation: 2,
        deletionGracePeriodSeconds: 0,
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
            name: 'c1',
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
          {
            name: 'c2',
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
        nodeName: 'n1',
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
        conditions: [
          {
            type: 'PodScheduled',
            status: 'True',
          },
        ],
        qosClass: 'BestEffort',
      },
    },
  },
];
