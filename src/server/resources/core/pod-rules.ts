import { Pod } from '../../../api/kinds/core/pod.ts';
import { keepAllButResources, validatePodResize } from '../../../api/kinds/core/pod-resize.ts';
import { keepAllButEphemeralContainers, validateEphemeralContainersUpdate } from '../../../api/kinds/core/pod-update.ts';
import { contentChanged, setGeneration } from '../../../api/kinds/strategy.ts';
import type { UpdateRules } from '../../registry/update.ts';

/** `/ephemeralcontainers`: adds containers for debugging to a running pod. */
export const ephemeralContainersRules: UpdateRules<Pod> = {
  subresource: 'ephemeralcontainers',
  changes: ['spec.ephemeralContainers'],
  prepare(next, previous) {
    keepAllButEphemeralContainers(next, previous);
    setGeneration(next, previous, contentChanged(next, previous));
  },
  validate: (next, previous) => [...Pod.validate(next), ...validateEphemeralContainersUpdate(next, previous)],
};

/** `/resize`: changes cpu and memory of a running pod. */
export const resizeRules: UpdateRules<Pod> = {
  subresource: 'resize',
  changes: ['containers', 'initContainers'].flatMap((list) => [`spec.${list}.*.resources`, `spec.${list}.*.resizePolicy`]),
  prepare(next, previous) {
    keepAllButResources(next, previous);
    setGeneration(next, previous, contentChanged(next, previous));
  },
  validate: (next, previous) => [...Pod.validate(next), ...validatePodResize(next, previous)],
};
