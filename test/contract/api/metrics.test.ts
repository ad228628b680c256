import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ConfigMap } from '../../../src/api/kinds/core/config-map.ts';
import { badRequest } from '../../../src/api/status-error.ts';
import { createEventRecorder } from '../../../src/client/event-recorder.ts';
import { InformerFactory } from '../../../src/client/informer-factory.ts';
import { createLoopbackClient } from '../../../src/client/loopback-client.ts';
import { FakeClock, systemClock } from '../../../src/lib/clock.ts';
import { silentLogger } from '../../../src/lib/log.ts';
import { MetricRegistry } from '../../../src/lib/metrics.ts';
import { createWorkQueueMetrics } from '../../../src/lib/workqueue-metrics.ts';
import { createController, defineController } from '../../../src/reconcile/controller.ts';
import { primary } from '../../../src/reconcile/watches.ts';
import type { AdmissionPlugin } from '../../../src/server/admission/admission.ts';
import type { ApiServer } from '../../../src/server/api-server.ts';
import { systemMaster } from '../../../src/server/auth/user.ts';
import { caller, type Send } from '../../support/api-caller.ts';
import { startTestApi } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';

const maps = '/api/v1/namespaces/default/configmaps';
const apply = { 'content-type': 'application/apply-patch+yaml' };

describe('metrics', () => {
  let server: ApiServer;
  let stop: () => Promise<void>;
  let send: Send;
  const clock = new FakeClock();
  const metrics = new MetricRegistry();
  let refuseStuck: ((error: Error) => void) | undefined;
  /** Decides about `stuck` when the test says so, and never lets in `bad`. */
  const picky: AdmissionPlugin = {
    name: 'Picky',
    admit({ object }) {
      if (object?.metadata.name === 'bad') throw badRequest('not that one');
      if (object?.metadata.name !== 'stuck') return;
      return new Promise((_, reject) => {
        refuseStuck = reject;
      });
    },
  };
  before(async () => {
    ({ server, stop } = await startTestApi({ clock, admission: () => [picky], overrides: { metrics } }));
    send = caller(server);
  });
  after(() => stop());

  /** `name{labels}` → value, of one metric. */
  async function read(name: string): Promise<Record<string, number>> {
    const { body } = await send('GET /metrics');
    const lines = body.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    return Object.fromEntries(
      lines.map((line) => [line.slice(name.length, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
    );
  }

  const about = (verb: string, scope: string, more = '') =>
    `{verb="${verb}",dry_run="${more}",group="",version="v1",resource="configmaps",subresource="",scope="${scope}",component="apiserver"`;

  it('count requests by verb, resource and code, in text Prometheus reads', async () => {
    await send(`POST ${maps}`, { metadata: { name: 'a' } });
    await send(`POST ${maps}?dryRun=All`, { metadata: { name: 'b' } });
    await send(`PATCH ${maps}/a?fieldManager=m`, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }, apply);
    await send(`GET ${maps}`);
    await send('GET /api/v1/configmaps');
    await send(`GET ${maps}/none`);
    const total = await read('apiserver_request_total');
    for (const [labels, code] of [
      [about('POST', 'resource'), 201],
      [about('POST', 'resource', 'All'), 201],
      [about('APPLY', 'resource'), 200],
      [about('LIST', 'namespace'), 200],
      [about('LIST', 'cluster'), 200],
      [about('GET', 'resource'), 404],
    ] as const) {
      assert.equal(total[`${labels},code="${code}",system_client=""}`], 1, labels);
    }
    const scheduler = { 'user-agent': 'kube-scheduler/v1.36.2 (linux/arm64)' };
    await send(`DELETE ${maps}?labelSelector=none&dryRun=some`, undefined, scheduler);
    await send(`DELETE ${maps}?labelSelector=none`, undefined, { 'user-agent': 'kube-schedulers/v1' });
    const later = await read('apiserver_request_total');
    assert.equal(later[`${about('DELETE', 'namespace', 'invalid')},code="422",system_client="kube-scheduler"}`], 1);
    assert.equal(later[`${about('DELETE', 'namespace')},code="200",system_client=""}`], 1);
    const durations = await read('apiserver_request_duration_seconds_count');
    assert.equal(durations[`${about('LIST', 'cluster')}}`], 1);
    const own = await read('apiserver_request_sli_duration_seconds_count');
    const withoutDryRun = (labels: string): string => labels.replace(/dry_run="\w*",/, '');
    assert.equal(own[`${withoutDryRun(about('LIST', 'cluster'))}}`], 1);
    assert.equal(own[`${withoutDryRun(about('POST', 'resource'))}}`], 1, 'dry runs are left out');
    const sizes = await read('apiserver_response_sizes_sum');
    assert.ok(sizes[`${withoutDryRun(about('LIST', 'cluster'))}}`]! > 200);
    assert.equal(sizes[`${withoutDryRun(about('POST', 'resource'))}}`], undefined);
    const steps = await read('apiserver_admission_step_admission_duration_seconds_count');
    assert.ok(steps['{operation="UPDATE",rejected="false",type="validate"}']! >= 1);
    assert.ok(steps['{operation="CREATE",rejected="false",type="admit"}']! >= 2);
    await send(`POST ${maps}`, { metadata: { name: 'bad' } });
    const plugins = await read('apiserver_admission_controller_admission_duration_seconds_count');
    assert.deepEqual(plugins['{name="Picky",operation="CREATE",rejected="true",type="admit"}'], 1);
    assert.ok(plugins['{name="Picky",operation="CREATE",rejected="false",type="admit"}']! >= 2);
    assert.ok((await read('authentication_attempts'))['{result="success"}']! > 6);
    assert.ok((await read('authorization_attempts_total'))['{result="allowed"}']! > 6);
    const answer = await send('GET /metrics');
    assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores');
    for (const line of answer.body.trimEnd().split('\n')) {
      assert.match(line, /^(?:# (?:HELP|TYPE) [a-z_]+ .+|[a-z_]+(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*\})? [\d.e+-]+)$/);
    }
  });

  it('keep no names that clients invent', async () => {
    for (let i = 0; i < 5; i++) {
      await send(`GET /apis/x${i}.io/v1/things`);
      await send(`GET /path${i}`);
      await send(`GET ${maps}/a/below${i}`);
      await send(`M${'A'.repeat(i)} /x`);
    }
    const { body } = await send('GET /metrics');
    assert.doesNotMatch(body, /x\d\.io|things|path\d|below|"MA/);
  });

  it('count open watches, and what they were sent', async () => {
    const of = 'group="",version="v1",resource="configmaps",subresource="",scope="namespace",component="apiserver"';
    const labels = `{verb="WATCH",${of}}`;
    const total = `{verb="WATCH",dry_run="",${of},code="200",system_client=""}`;
    const watch = send(`GET ${maps}?watch=1&timeoutSeconds=1`);
    await send('GET /version');
    assert.equal((await read('apiserver_longrunning_requests'))[labels], 1);
    assert.equal((await read('apiserver_request_total'))[total], undefined, 'it is counted when it ends');
    clock.advance(2000);
    await watch;
    assert.equal((await read('apiserver_longrunning_requests'))[labels], 0);
    assert.equal((await read('apiserver_request_total'))[total], 1);
    assert.equal((await read('apiserver_request_duration_seconds_sum'))[`{verb="WATCH",dry_run="",${of}}`], 2);
    const sent = await read('apiserver_watch_events_total');
    assert.equal(sent['{group="",version="v1",resource="configmaps"}'], 1);
    const initial = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1';
    const list = send(`GET ${maps}?watch=1&${initial}`);
    await send('GET /version');
    const lists = await read('apiserver_watch_list_duration_seconds_count');
    assert.deepEqual(lists, { '{group="",version="v1",resource="configmaps",scope="namespace"}': 1 });
    clock.advance(2000);
    await list;
  });

  it('tell of requests that were given up, and of kinds that will go', async () => {
    assert.deepEqual(await read('apiserver_request_terminations_total'), {});
    const stuck = send(`POST ${maps}?timeout=1s`, { metadata: { name: 'stuck' } });
    await eventually('it is being admitted', () => refuseStuck !== undefined);
    clock.advance(1000);
    assert.equal((await stuck).status, 504);
    refuseStuck?.(badRequest('too late'));
    const labels = about('POST', 'resource').replace('dry_run="",', '');
    assert.deepEqual(await read('apiserver_request_terminations_total'), { [`${labels},code="504"}`]: 1 });
    await send('GET /api/v1/endpoints');
    assert.deepEqual(await read('apiserver_requested_deprecated_apis'), {
      '{group="",version="v1",resource="endpoints",subresource="",removed_release=""}': 1,
    });
  });

  it('show the most requests of the last second', async () => {
    const working = async () => (await read('apiserver_current_inflight_requests'))['{request_kind="mutating"}'];
    clock.advance(5000);
    assert.equal(await working(), 0);
    const writes = Array.from({ length: 3 }, (_, i) => send(`POST ${maps}?dryRun=All`, { metadata: { name: `many-${i}` } }));
    await Promise.all(writes);
    assert.equal(await working(), 3);
    clock.advance(1000);
    assert.equal(await working(), 3);
    clock.advance(1000);
    assert.equal(await working(), 0);
  });

  it('tell of the store and the process', async () => {
    const objects = await read('apiserver_resource_objects');
    assert.equal(objects['{group="",resource="configmaps"}'], 1);
    assert.equal((await read('apiserver_storage_objects'))['{resource="configmaps"}'], 1);
    assert.ok(!Object.keys(objects).some((labels) => labels.includes('reviews')));
    const writes = await read('etcd_request_duration_seconds_count');
    assert.equal(writes['{operation="create",group="",resource="configmaps"}'], 1);
    for (const name of ['process_cpu_seconds_total', 'process_open_fds', 'process_max_fds', 'process_virtual_memory_bytes']) {
      assert.ok((await read(name))['']! > 0, name);
    }
    assert.match(Object.keys(await read('kubernetes_build_info'))[0]!, /major="1",minor="36",git_version="v1\.36/);
  });

  it('tell of the queues of controllers', async () => {
    const client = createLoopbackClient(server.inProcess, systemMaster);
    const log = silentLogger;
    const informers = new InformerFactory({ client, clock: systemClock, log });
    let failures = 1;
    const controller = createController(
      defineController({
        name: 'counted',
        watches: [primary(ConfigMap)],
        async reconcile(key) {
          if (key === 'default/a' && failures-- > 0) throw new Error('not yet');
        },
      }),
      {
        client,
        informers,
        events: createEventRecorder({ client, clock: systemClock, log, component: 'counted' }),
        clock: systemClock,
        log,
        observe: createWorkQueueMetrics(metrics),
      },
    );
    await controller.start();
    const name = '{name="counted"}';
    await eventually('the key came back', async () => ((await read('workqueue_adds_total'))[name] ?? 0) >= 2);
    assert.equal((await read('workqueue_retries_total'))[name], 1);
    assert.equal((await read('workqueue_depth'))[name], 0);
    assert.equal((await read('workqueue_unfinished_work_seconds'))[name], 0);
    assert.equal((await read('workqueue_longest_running_processor_seconds'))[name], 0);
    assert.ok((await read('workqueue_queue_duration_seconds_count'))[name]! >= 2);
    const calls = await read('rest_client_requests_total');
    assert.ok(calls['{code="200",host="in-process",method="GET"}']! >= 1, 'the informer has listed');
    await eventually('both are measured', async () => ((await read('workqueue_work_duration_seconds_count'))[name] ?? 0) >= 2);
    await controller.stop();
    informers.stop();
  });
});
