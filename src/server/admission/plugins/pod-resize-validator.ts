import { Node } from '../../../api/kinds/core/node.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { amountsOf } from '../../../api/quota/amounts.ts';
import { podResources } from '../../../api/quota/pod-resources.ts';
import { forbidden } from '../../../api/status-error.ts';
import { formatQuantity, quantityMilliValue, quantityValue } from '../../../lib/quantity.ts';
import type { AdmissionPlugin } from '../admission.ts';
import { objectOf } from '../concern.ts';
import type { AdmissionDeps } from '../deps.ts';
import { refuse } from '../refusal.ts';

/** A running pod does not grow beyond what its node could ever give. */
export function podResizeValidator({ reader }: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'PodResizeValidator',
    validate(request) {
      const pod = objectOf(request, Pod, ['UPDATE'], 'resize');
      const name = pod?.spec?.nodeName;
      if (!pod || !name || pod.metadata.generation === request.oldObject?.metadata.generation) return;
      const node = reader.get(Node, { name });
      if (!node) throw refuse(request, `node ${JSON.stringify(name)} not found`);
      const problems = beyondAllocatable(pod, node.status?.allocatable ?? {});
      if (problems.length === 0) return;
      const why = `node didn't have enough allocatable resources: ${problems.join('; ')}`;
      throw forbidden(request.kind, request.name, why, [{ reason: 'NodeCapacity' }]);
    },
  };
}

function beyondAllocatable(pod: Pod, allocatable: Readonly<Record<string, string>>): string[] {
  const requests = podResources(pod, 'requests');
  const limits = amountsOf(allocatable);
  const problems: string[] = [];
  for (const resource of ['cpu', 'memory'] as const) {
    const wanted = requests.get(resource);
    if (!wanted || wanted.nanos <= (limits.get(resource)?.nanos ?? 0n)) continue;
    const value = resource === 'cpu' ? quantityMilliValue : quantityValue;
    problems.push(`${resource}, requested: ${value(formatQuantity(wanted))}, allocatable: ${value(allocatable[resource])}`);
  }
  return problems;
}
