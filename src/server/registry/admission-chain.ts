import type { AdmissionPlugin, AdmissionRequest } from '../admission/admission.ts';

/** Runs every plugin in order: first all that may change the object, later (after validation) all that may only refuse it. */
export class AdmissionChain {
  readonly #admitting: readonly AdmissionPlugin[];
  readonly #validating: readonly AdmissionPlugin[];

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#admitting = plugins.filter((plugin) => plugin.admit);
    this.#validating = plugins.filter((plugin) => plugin.validate);
  }

  async admit(request: AdmissionRequest): Promise<void> {
    for (const plugin of this.#admitting) {
      const pending = plugin.admit!(request);
      if (pending) await pending;
    }
  }

  async validate(request: AdmissionRequest): Promise<void> {
    for (const plugin of this.#validating) {
      const pending = plugin.validate!(request);
      if (pending) await pending;
    }
  }
}
