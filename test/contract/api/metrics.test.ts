import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ConfigMap } from '../../../src/api/kinds/core/config-map.ts';
import { createEventRecorder } from '../../../src/client/event-recorder.ts';
import { InformerFactory } from '../../../src/client/informer-factory.ts';
import { createLoopbackClient } from '../../../src/client/loopback-client.ts';
import { FakeClock, systemClock } from '../../../src/lib/clock.ts';
import { silentLogger } from '../../../src/lib/log.ts';
import { MetricRegistry } from '../../../src/lib/metrics.ts';
import { createController, defineController } from '../../../src/reconcile/controller.ts';
import { ControllerMetrics } from '../../../src/reconcile/controller-metrics.ts';
import { primary } from '../../../src/reconcile/watches.ts';
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
  before(async () => {
    ({ server, stop } = await startTestApi({ clock, overrides: { metrics } }));
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
      assert.equal(total[`${labels},code="${code}"}`], 1, labels);
    }
    const durations = await read('apiserver_request_duration_seconds_count');
    assert.equal(durations[`${about('LIST', 'cluster')}}`], 1);
    const steps = await read('apiserver_admission_step_admission_duration_seconds_count');
    assert.ok(steps['{operation="UPDATE",rejected="false",type="validate"}']! >= 1);
    assert.ok(steps['{operation="CREATE",rejected="false",type="admit"}']! >= 2);
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
    const labels =
      '{verb="WATCH",group="",version="v1",resource="configmaps",subresource="",scope="namespace",component="apiserver"}';
    const watch = send(`GET ${maps}?watch=1&timeoutSeconds=1`);
    await send('GET /version');
    assert.equal((await read('apiserver_longrunning_requests'))[labels], 1);
    clock.advance(2000);
    await watch;
    assert.equal((await read('apiserver_longrunning_requests'))[labels], 0);
    const sent = await read('apiserver_watch_events_total');
    assert.equal(sent['{group="",version="v1",resource="configmaps"}'], 1);
  });

  it('tell of the store and the process', async () => {
    const objects = await read('apiserver_resource_objects');
    assert.equal(objects['{group="",resource="configmaps"}'], 1);
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
        observer: new ControllerMetrics(metrics),
      },
    );
    await controller.start();
    const name = '{name="counted"}';
    await eventually('the key came back', async () => ((await read('workqueue_adds_total'))[name] ?? 0) >= 2);
    assert.equal((await read('workqueue_retries_total'))[name], 1);
    assert.equal((await read('workqueue_depth'))[name], 0);
    await eventually('both are measured', async () => ((await read('workqueue_work_duration_seconds_count'))[name] ?? 0) >= 2);
    await controller.stop();
    informers.stop();
  });
});
