import { Namespace, validateFinalizers } from '../../../api/kinds/core/namespace.ts';
import { timestamp } from '../../../api/timestamp.ts';
import { validateObjectMeta } from '../../../api/validation/object-meta.ts';
import type { Effects } from '../../registry/effects.ts';
import type { UpdateRules } from '../../registry/update.ts';

/**
 * A deleted namespace is Terminating until the namespace controller has emptied it and taken away its own finalizer
 * (kubernetes: pkg/registry/core/namespace/storage/storage.go).
 */
export const namespaceEffects: Effects<Namespace> = {
  beforeDelete(namespace, nowMs) {
    const { metadata } = namespace;
    metadata.deletionTimestamp ??= timestamp(nowMs);
    namespace.status = { ...namespace.status, phase: 'Terminating' };
  },
  mayGo: (namespace) => (namespace.spec?.finalizers?.length ?? 0) === 0,
};

/** `/finalize`: changes the finalizers of the spec, and nothing else. */
export const finalizeRules: UpdateRules<Namespace> = {
  subresource: 'finalize',
  prepare(next, previous) {
    const { finalizers } = next.spec ?? {};
    next.spec = { ...previous.spec };
    if (finalizers) next.spec.finalizers = finalizers;
    else delete next.spec.finalizers;
    next.status = previous.status;
  },
  validate: ({ metadata, spec }) => [
    ...validateObjectMeta(Namespace, metadata),
    ...validateFinalizers(spec?.finalizers, (i) => `spec.finalizers[${i}]`),
  ],
};
