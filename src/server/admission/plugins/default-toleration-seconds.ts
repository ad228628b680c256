import { Pod } from '../../../api/kinds/core/pod.ts';
import type { AdmissionPlugin } from '../admission.ts';
import { objectOf } from '../concern.ts';

/** How long pods stay on a node that is not ready or unreachable when they do not say. */
const defaultTolerationS = 300;
const keys = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

/**
 * Pods that say nothing of it stay on a node that is not ready or not reachable for this long (upstream:
 * plugin/pkg/admission/defaulttolerationseconds).
 */
export function defaultTolerationSeconds(seconds = defaultTolerationS): AdmissionPlugin {
  return {
    name: 'DefaultTolerationSeconds',
    admit(request) {
      const pod = objectOf(request, Pod, ['CREATE', 'UPDATE']);
      if (!pod?.spec) return;
      const tolerations = pod.spec.tolerations ?? [];
      const missing = keys.filter(
        (key) => !tolerations.some((t) => (!t.key || t.key === key) && (!t.effect || t.effect === 'NoExecute')),
      );
      if (missing.length === 0) return;
      const added = missing.map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: seconds }));
      pod.spec.tolerations = [...tolerations, ...added];
    },
  };
}
