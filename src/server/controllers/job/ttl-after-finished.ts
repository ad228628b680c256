import { Job } from '../../../api/kinds/batch/job.ts';
import { parseKey } from '../../../api/meta.ts';
import { millisecondsOf } from '../../../api/timestamp.ts';
import { defineController } from '../../../reconcile/controller.ts';
import { primary } from '../../../reconcile/watches.ts';
import { finishedAs } from './verdict.ts';

/** Deletes finished Jobs after spec.ttlSecondsAfterFinished. */
export const ttlAfterFinishedController = defineController({
  name: 'ttl-after-finished',
  watches: [primary(Job)],
  async reconcile(key, { client, informer, clock, requeueAfter }) {
    const job = informer(Job).get(key);
    const finished = job && finishedAs(job);
    if (!job || !finished || job.metadata.deletionTimestamp !== undefined) return;
    const { ttlSecondsAfterFinished: ttl } = job.spec;
    if (ttl === undefined) return;
    const leftMs = millisecondsOf(finished.lastTransitionTime) + ttl * 1000 - clock.now();
    if (leftMs > 0) requeueAfter(leftMs);
    else await client.delete(Job, parseKey(key), { propagationPolicy: 'Foreground', preconditions: { uid: job.metadata.uid } });
  },
});
