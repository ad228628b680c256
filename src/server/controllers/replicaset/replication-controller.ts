import { ReplicationController } from '../../../api/kinds/core/replication-controller.ts';
import { replicaController } from './replicas.ts';

/** Keeps the number of pods a ReplicationController asks for; the ReplicaSet of the early days, with a map for a selector. */
export const replicationController = replicaController({
  name: 'replication',
  kind: ReplicationController,
  wishOf: ({ spec }) => ({
    replicas: spec?.replicas ?? 1,
    minReadySeconds: spec?.minReadySeconds ?? 0,
    selector: { matchLabels: spec?.selector ?? spec?.template?.metadata?.labels ?? {} },
    template: spec?.template ?? {},
  }),
});
