/** A state that controllers bring about, which must be there before a case: what has to be seen at a path. */
export interface Wait {
  readonly path: string;
  // biome-ignore lint/suspicious/noExplicitAny: objects of many kinds, as JSON
  until(object: any): boolean;
}

const deployment = (name: string): string => `/apis/apps/v1/namespaces/gold/deployments/${name}`;

/** By case. */
export const waits: Readonly<Record<string, Wait>> = {
  'delete-foreground': {
    path: deployment('fg'),
    until: ({ status }) => status.updatedReplicas === 1 && status.conditions?.length === 2,
  },
  'scale-get': { path: deployment('sc'), until: ({ status }) => status.replicas === 2 && status.conditions?.length === 2 },
  'status-put-ignores-spec': {
    path: deployment('sc'),
    until: ({ status }) => status.observedGeneration === 2 && status.replicas === 1 && status.updatedReplicas === 1,
  },
  'quota-exceeded': {
    path: '/api/v1/namespaces/gold/resourcequotas/q',
    until: ({ status }) => status.used?.configmaps !== undefined,
  },
};
