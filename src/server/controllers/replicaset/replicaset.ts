import { ReplicaSet } from '../../../api/kinds/apps/replica-set.ts';
import { replicaController } from './replicas.ts';

/** Keeps the number of pods a ReplicaSet asks for. */
export const replicaSetController = replicaController({
  name: 'replicaset',
  kind: ReplicaSet,
  wishOf: ({ spec }) => ({
    replicas: spec.replicas ?? 1,
    minReadySeconds: spec.minReadySeconds ?? 0,
    selector: spec.selector,
    template: spec.template ?? {},
  }),
});
