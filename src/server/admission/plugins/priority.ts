import type { Pod as PodType } from '../../../api/generated/types.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { PriorityClass } from '../../../api/kinds/scheduling/priority-class.ts';
import type { Reader } from '../../registry/reader.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts';
import { objectOf } from '../concern.ts';
import type { AdmissionDeps } from '../deps.ts';
import { refuse } from '../refusal.ts';

/** Turns a pod's priority class into its number; keeps at most one class the default. */
export function priority({ reader }: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'Priority',
    admit(request) {
      const pod = objectOf(request, Pod, ['CREATE', 'UPDATE']);
      if (!pod?.spec) return;
      if (request.operation === 'CREATE') setPriority(request, pod, reader);
      else keepPriority(pod, request.oldObject as unknown as PodType | undefined);
    },
    validate(request) {
      const created = objectOf(request, PriorityClass, ['CREATE', 'UPDATE']);
      if (!created?.globalDefault) return;
      const other = defaultClass(reader);
      if (!other || (request.operation === 'UPDATE' && other.metadata.name === created.metadata.name)) return;
      throw refuse(request, `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`);
    },
  };
}

function setPriority(request: AdmissionRequest, { spec }: PodType, reader: Reader): void {
  if (!spec) return;
  const wanted = spec.priorityClassName;
  const found = wanted ? reader.get(PriorityClass, { name: wanted }) : defaultClass(reader);
  if (wanted && !found) throw refuse(request, `no PriorityClass with name ${wanted} was found`);
  if (found) spec.priorityClassName = found.metadata.name;
  const value = found?.value ?? 0;
  const policy = found?.preemptionPolicy ?? 'PreemptLowerPriority';
  const computed = 'must not be provided in pod spec; priority admission controller computed';
  if (spec.priority !== undefined && spec.priority !== value)
    throw refuse(
      request,
      `the integer value of priority (${spec.priority}) ${computed} ${value} from the given PriorityClass name`,
    );
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy)
    throw refuse(
      request,
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) ${computed} ${policy} from the given PriorityClass name`,
    );
  spec.priority = value;
  spec.preemptionPolicy = policy;
}

/** Clients that do not know the fields must not erase them. */
function keepPriority({ spec }: PodType, previous: PodType | undefined): void {
  if (!spec) return;
  if (spec.priority === undefined && previous?.spec?.priority !== undefined) spec.priority = previous.spec.priority;
  if (spec.preemptionPolicy === undefined && previous?.spec?.preemptionPolicy !== undefined)
    spec.preemptionPolicy = previous.spec.preemptionPolicy;
}

function defaultClass(reader: Reader): PriorityClass | undefined {
  const defaults = reader.list(PriorityClass).filter((c) => c.globalDefault);
  return defaults.reduce<PriorityClass | undefined>(
    (lowest, c) => (lowest && (lowest.value ?? 0) <= (c.value ?? 0) ? lowest : c),
    undefined,
  );
}
