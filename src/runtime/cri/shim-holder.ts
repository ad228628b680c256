import { shimGroupAnnotation } from '../containerd/config.ts';
import type { PodSandbox } from '../generated/cri.ts';
import { type CriClient, callTimeoutMs } from './clients.ts';

const groupName = 'skiff';
const holderLabel = 'skiff.dev/shim-holder';

/**
 * One shim for all pods of a node saves 3 to 5 MB per pod. The shim ends with its last sandbox, and containerd may still hand it a new
 * one at that moment; therefore one sandbox without containers, made first and alone, holds it for as long as there are pods.
 */
export class ShimHolder {
  readonly #cri: CriClient;
  readonly #enabled: boolean;
  #ensured: Promise<void> | undefined;

  constructor(client: CriClient, enabled: boolean) {
    this.#cri = client;
    this.#enabled = enabled;
  }

  /** What a pod's sandbox needs to join the group. */
  get annotations(): Readonly<Record<string, string>> {
    return this.#enabled ? { [shimGroupAnnotation]: groupName } : {};
  }

  static isHolder(sandbox: { readonly labels: Readonly<Record<string, string>> }): boolean {
    return holderLabel in sandbox.labels;
  }

  /** Resolves when the holder runs. Concurrent callers share one attempt. */
  ensure(): Promise<void> {
    if (!this.#enabled) return Promise.resolve();
    this.#ensured ??= this.#findOrRun().finally(() => {
      this.#ensured = undefined;
    });
    return this.#ensured;
  }

  /** Takes the holder away once nothing else is left. */
  async remove(): Promise<void> {
    for (const holder of await this.#find()) await this.#removeSandbox(holder.id);
  }

  async #findOrRun(): Promise<void> {
    const found = await this.#find();
    if (found.some((holder) => holder.state === 'SANDBOX_READY')) return;
    for (const dead of found) await this.#removeSandbox(dead.id);
    const attempt = Math.max(0, ...found.map((holder) => (holder.metadata?.attempt ?? 0) + 1));
    await this.#cri.unary(
      'runtime.v1.RuntimeService/RunPodSandbox',
      {
        config: {
          metadata: { name: 'shim-holder', namespace: 'skiff', uid: 'skiff-shim-holder', attempt },
          labels: { [holderLabel]: '' },
          annotations: this.annotations,
          linux: {
            security_context: {
              namespace_options: { network: 'NODE', pid: 'CONTAINER', ipc: 'POD' },
              seccomp: { profile_type: 'RuntimeDefault' },
            },
          },
        },
      },
      { timeoutMs: callTimeoutMs.sandbox },
    );
  }

  async #find(): Promise<readonly PodSandbox[]> {
    const filter = { label_selector: { [holderLabel]: '' } };
    const { items } = await this.#cri.unary(
      'runtime.v1.RuntimeService/ListPodSandbox',
      { filter },
      { timeoutMs: callTimeoutMs.read },
    );
    return items;
  }

  async #removeSandbox(pod_sandbox_id: string): Promise<void> {
    const options = { timeoutMs: callTimeoutMs.change };
    await this.#cri.unary('runtime.v1.RuntimeService/StopPodSandbox', { pod_sandbox_id }, options);
    await this.#cri.unary('runtime.v1.RuntimeService/RemovePodSandbox', { pod_sandbox_id }, options);
  }
}
