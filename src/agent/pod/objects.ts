import type { ConfigMap, Secret } from '../../api/generated/types.ts';

/**
 * The ConfigMaps and Secrets pods of this node refer to. Undefined = there is none (the server said so); a rejection = not known now.
 */
export interface ReferencedObjects {
  configMap(namespace: string, name: string): Promise<ConfigMap | undefined>;
  secret(namespace: string, name: string): Promise<Secret | undefined>;
}

/** A container cannot be configured from what its pod refers to; `reason` is what kubectl shows. */
export class ContainerConfigError extends Error {
  override readonly name = 'ContainerConfigError';
  readonly reason: 'CreateContainerConfigError' | 'CreateContainerError' | 'RunContainerError';
  constructor(reason: ContainerConfigError['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
