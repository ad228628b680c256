import type { CronJob } from '../../../api/kinds/batch/cron-job.ts';
import { millisecondsOf } from '../../../api/timestamp.ts';
import type { CronSchedule } from '../../../lib/cron.ts';

/** More missed starts than this are reported; the clock or the schedule must be wrong. */
const missedLimit = 100;

/** The latest start that is due and not yet made; missed ones before it are skipped. */
export function dueTime(cronJob: CronJob, schedule: CronSchedule, nowMs: number): { atMs: number | undefined; tooMany: boolean } {
  const { startingDeadlineSeconds, timeZone } = cronJob.spec;
  const since = millisecondsOf(cronJob.status.lastScheduleTime ?? cronJob.metadata.creationTimestamp);
  const earliest = startingDeadlineSeconds === undefined ? since : Math.max(since, nowMs - startingDeadlineSeconds * 1000);
  let latest: number | undefined;
  let missed = 0;
  let from = earliest;
  for (let at = schedule.next(from, timeZone); at !== undefined && at <= nowMs; at = schedule.next(from, timeZone)) {
    latest = at;
    missed++;
    // After a long sleep there may be millions: skip most of the way, the latest is what counts.
    const gap = nowMs - at;
    const period = at - from;
    from = missed > missedLimit && gap > 4 * period ? nowMs - 2 * period : at;
    if (missed > 4 * missedLimit) break;
  }
  return { atMs: latest, tooMany: missed > missedLimit };
}
