import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cells, newObject, problems, updated } from '../../../../test/support/kinds.ts';
import { CronJob } from './cron-job.ts';
import { Job } from './job.ts';
import { scheduleProblem, timeZoneProblem } from './schedule.ts';

const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i:1' }] } };
const spec = (extra: object = {}) => ({ spec: { template, ...extra } });

describe('Job', () => {
  const job = newObject(Job, spec());

  it('finds its pods by its uid', () => {
    const labels = {
      'controller-uid': 'u-1',
      'batch.kubernetes.io/controller-uid': 'u-1',
      'job-name': 'a',
      'batch.kubernetes.io/job-name': 'a',
    };
    assert.deepEqual(job.spec.selector, { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u-1' } });
    assert.deepEqual(job.spec.template.metadata?.labels, labels);
    assert.deepEqual(job.metadata.labels, labels);
  });

  it('runs once unless it says otherwise', () => {
    const { completions, parallelism, backoffLimit, completionMode, suspend, podReplacementPolicy } = job.spec;
    assert.deepEqual([completions, parallelism, backoffLimit], [1, 1, 6]);
    assert.deepEqual([completionMode, suspend, podReplacementPolicy], ['NonIndexed', false, 'TerminatingOrFailed']);
    assert.equal(newObject(Job, spec({ parallelism: 2 })).spec.completions, undefined);
  });

  const rows: readonly [string, object, readonly string[]][] = [
    ['nothing wrong', {}, []],
    [
      'pods that always restart',
      { template: { spec: { ...template.spec, restartPolicy: 'Always' } } },
      ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ],
    [
      'indexes without a number',
      { completionMode: 'Indexed', parallelism: 1 },
      ['spec.completions: Required value: when completion mode is Indexed'],
    ],
    [
      'limits per index without indexes',
      { backoffLimitPerIndex: 1 },
      ['spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode'],
    ],
    [
      'a rule that says nothing',
      { podFailurePolicy: { rules: [{ action: 'Ignore' }] } },
      ['spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required'],
    ],
  ];
  for (const [title, extra, expected] of rows) it(`with ${title}`, () => assert.deepEqual(problems(Job, spec(extra)), expected));

  it('keeps its template', () => {
    const { errors } = updated(Job, job, (j) => {
      j.spec.template.spec!.containers[0]!.image = 'j:2';
    });
    assert.equal(errors.length, 1);
    assert.ok(errors[0]?.endsWith('field is immutable'), String(errors[0]));
  });

  it('suspended and not started may be steered to other nodes', () => {
    const suspended = newObject(Job, spec({ suspend: true }));
    const { errors } = updated(Job, suspended, (j) => {
      j.spec.template.spec!.nodeSelector = { a: 'b' };
    });
    assert.deepEqual(errors, []);
  });

  it('is shown by how far it is', () => {
    const running = structuredClone(job);
    running.status = { succeeded: 0, startTime: '2026-11-21T00:59:00Z' };
    const row = cells(Job, running);
    assert.deepEqual([row['Status'], row['Completions'], row['Duration']], ['Running', '0/1', '60s']);
  });
});

describe('CronJob', () => {
  const jobTemplate = { spec: { template } };

  it('has the defaults of Kubernetes, and leaves those of jobs to jobs', () => {
    const cron = newObject(CronJob, { spec: { schedule: '* * * * *', jobTemplate } });
    const { concurrencyPolicy, suspend, successfulJobsHistoryLimit, failedJobsHistoryLimit } = cron.spec;
    assert.deepEqual([concurrencyPolicy, suspend, successfulJobsHistoryLimit, failedJobsHistoryLimit], ['Allow', false, 3, 1]);
    assert.equal(cron.spec.jobTemplate.spec?.backoffLimit, undefined);
    assert.deepEqual(CronJob.validate(cron), []);
  });

  it('cannot be named longer than its jobs allow', () => {
    const [error] = problems(CronJob, { metadata: { name: 'x'.repeat(53) }, spec: { schedule: '@daily', jobTemplate } });
    assert.ok(error?.endsWith('must be no more than 52 characters'), String(error));
  });
});

describe('schedules', () => {
  for (const text of ['* * * * *', '*/5 0-6,20 1 jan mon-fri', '@daily', '@every 1h30m', '0 0 ? * SUN']) {
    it(`${text} is one`, () => assert.equal(scheduleProblem(text), undefined));
  }
  for (const [text, problem] of [
    ['', 'empty spec string'],
    ['* * * *', 'expected exactly 5 fields, found 4: [* * * *]'],
    ['60 * * * *', 'end of range (60) above maximum (59): 60'],
    ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
    ['5-1 * * * *', 'beginning of range (5) beyond end of range (1): 5-1'],
    ['*/0 * * * *', 'step of range should be a positive number: */0'],
    ['a * * * *', 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'],
    ['@sometimes', 'unrecognized descriptor: @sometimes'],
  ] as const) {
    it(`${JSON.stringify(text)} is none`, () => assert.equal(scheduleProblem(text), problem));
  }
  it('know time zones', () => {
    assert.equal(timeZoneProblem('Europe/Berlin'), undefined);
    assert.equal(timeZoneProblem('Mars/Base'), 'unknown time zone Mars/Base');
    assert.ok(timeZoneProblem('local'));
  });
});
