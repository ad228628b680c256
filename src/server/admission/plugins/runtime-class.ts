import type { Pod as PodType, RuntimeClass as RuntimeClassType } from '../../../api/generated/types.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { RuntimeClass } from '../../../api/kinds/node/runtime-class.ts';
import { semanticEqual } from '../../../api/validation/equal.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts';
import { objectOf } from '../concern.ts';
import type { AdmissionDeps } from '../deps.ts';
import { mergeTolerations } from '../merge-tolerations.ts';
import { refuse } from '../refusal.ts';

const mismatch = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";

/** A pod carries the overhead of its runtime class and goes where that runtime is. */
export function runtimeClass({ reader }: AdmissionDeps): AdmissionPlugin {
  const classOf = (request: AdmissionRequest, pod: PodType): RuntimeClassType | undefined => {
    const name = pod.spec?.runtimeClassName;
    if (name === undefined) return undefined;
    const found = reader.get(RuntimeClass, { name });
    if (!found) throw refuse(request, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
    return found;
  };
  return {
    name: 'RuntimeClass',
    admit(request) {
      const pod = objectOf(request, Pod, ['CREATE']);
      const found = pod && classOf(request, pod);
      if (!pod?.spec || !found) return;
      const overhead = found.overhead?.podFixed;
      if (overhead) {
        if (hasEntries(pod.spec.overhead) && !semanticEqual(pod.spec.overhead, overhead)) throw refuse(request, mismatch);
        pod.spec.overhead = { ...overhead };
      }
      if (found.scheduling) schedule(request, pod, found);
    },
    validate(request) {
      const pod = objectOf(request, Pod, ['CREATE']);
      if (!pod) return;
      const overhead = classOf(request, pod)?.overhead?.podFixed;
      if (overhead && !semanticEqual(pod.spec?.overhead, overhead)) throw refuse(request, mismatch);
      if (!overhead && pod.spec?.overhead !== undefined)
        throw refuse(request, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead');
    },
  };
}

function schedule(request: AdmissionRequest, { spec }: PodType, { scheduling }: RuntimeClassType): void {
  if (!spec) return;
  const selector = { ...spec.nodeSelector };
  for (const [key, value] of Object.entries(scheduling?.nodeSelector ?? {})) {
    const own = selector[key];
    if (own !== undefined && own !== value) {
      const where = `runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`;
      throw refuse(request, `conflict: ${where}`);
    }
    selector[key] = value;
  }
  if (Object.keys(selector).length > 0) spec.nodeSelector = selector;
  const added = scheduling?.tolerations ?? [];
  if (added.length > 0) spec.tolerations = mergeTolerations([...(spec.tolerations ?? []), ...added.map((t) => ({ ...t }))]);
}

const hasEntries = (list: Record<string, string> | undefined): boolean => Object.keys(list ?? {}).length > 0;
