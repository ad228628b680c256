import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { FakeReader } from '../../../test/support/fake-reader.ts';
import { settle } from '../../../test/support/settle.ts';
import type * as t from '../../api/generated/types.ts';
import { FlowSchema } from '../../api/kinds/flowcontrol/flow-schema.ts';
import { PriorityLevelConfiguration } from '../../api/kinds/flowcontrol/priority-level-configuration.ts';
import { FakeClock } from '../../lib/clock.ts';
import { MetricRegistry } from '../../lib/metrics.ts';
import type { UserInfo } from '../auth/user.ts';
import { parseRequestInfo } from '../http/request-info.ts';
import { type Applicant, type Flow, FlowControl } from './flow-control.ts';

const info = parseRequestInfo('GET', '/api/v1/namespaces/shop/pods', new URLSearchParams());
const user = (name: string): UserInfo => ({ name, groups: ['system:authenticated'], extra: {} });
const maxWaitMs = 15_000;

describe('flow control', () => {
  let reader: FakeReader;
  let clock: FakeClock;
  let metrics: MetricRegistry;
  let control: FlowControl;
  beforeEach(() => {
    reader = new FakeReader();
    clock = new FakeClock();
    metrics = new MetricRegistry();
    control = new FlowControl({ reader, clock, metrics });
  });

  /** A level of 3 seats that borrows none. */
  function putLevel(name: string, limited: t.LimitedPriorityLevelConfiguration = {}): void {
    const reject: t.LimitedPriorityLevelConfiguration = { limitResponse: { type: 'Reject' } };
    const seats = { nominalConcurrencyShares: 1, borrowingLimitPercent: 0 };
    reader.put(PriorityLevelConfiguration, {
      metadata: { name },
      spec: { type: 'Limited', limited: { ...reject, ...seats, ...limited } },
    });
  }

  const queuing = (queues: number, handSize: number, queueLengthLimit: number): t.LimitedPriorityLevelConfiguration => ({
    limitResponse: { type: 'Queue', queuing: { queues, handSize, queueLengthLimit } },
  });

  function putSchema(name: string, level: string, more: Partial<t.FlowSchemaSpec> = {}): void {
    reader.put(FlowSchema, {
      metadata: { name },
      spec: {
        priorityLevelConfiguration: { name: level },
        matchingPrecedence: 1000,
        rules: [
          {
            subjects: [{ kind: 'Group', group: { name: '*' } }],
            resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'] }],
          },
        ],
        ...more,
      },
    });
  }

  const schemaOf = (who: UserInfo): string => control.classify(who, info).use.schema;
  const series = (name: string): string[] =>
    metrics
      .render()
      .split('\n')
      .filter((line) => line.startsWith(`apiserver_flowcontrol_${name}`))
      .map((line) => line.slice('apiserver_flowcontrol_'.length));

  interface Asked {
    readonly flow: Flow;
    /** undefined while it waits. */
    seated: boolean | undefined;
    hangUp(): void;
  }

  function ask(who: UserInfo): Asked {
    const listeners: (() => void)[] = [];
    const applicant: Applicant = { user: who, info, onClose: (listener) => listeners.push(listener) };
    const flow = control.classify(who, info);
    const asked: Asked = {
      flow,
      seated: control.enter(flow) || undefined,
      hangUp() {
        for (const listener of listeners) listener();
      },
    };
    if (!asked.seated)
      void control.wait(flow, applicant, maxWaitMs).then((seated) => {
        asked.seated = seated;
      });
    return asked;
  }

  const seated = async (...asked: Asked[]): Promise<(boolean | undefined)[]> => {
    await settle(() => asked.map((each) => each.seated).join());
    return asked.map((each) => each.seated);
  };

  it('the standard schemas count before they are written', () => {
    assert.equal(schemaOf({ name: 'admin', groups: ['system:masters'], extra: {} }), 'exempt');
    assert.equal(schemaOf(user('jane')), 'global-default');
    assert.equal(schemaOf({ name: 'nobody', groups: [], extra: {} }), 'catch-all');
  });

  it('schemas are tried by precedence, then by name, and changes count at once', () => {
    putLevel('mine');
    putSchema('b', 'mine');
    assert.equal(schemaOf(user('jane')), 'b');
    putSchema('a', 'mine');
    assert.equal(schemaOf(user('jane')), 'a');
    putSchema('c', 'mine', { matchingPrecedence: 999 });
    assert.equal(schemaOf(user('jane')), 'c');
    reader.remove(FlowSchema, { name: 'c' });
    assert.equal(schemaOf(user('jane')), 'a');
  });

  it('a schema whose level does not exist counts for nothing', () => {
    putSchema('mine', 'missing');
    assert.equal(schemaOf(user('jane')), 'global-default');
    putLevel('missing');
    assert.equal(schemaOf(user('jane')), 'mine');
    const flow = control.classify(user('jane'), info);
    assert.equal(flow.schemaUid, reader.get(FlowSchema, { name: 'mine' })!.metadata.uid);
    assert.equal(flow.levelUid, reader.get(PriorityLevelConfiguration, { name: 'missing' })!.metadata.uid);
  });

  it('beyond its seats a level turns away who may not wait', async () => {
    putLevel('mine');
    putSchema('mine', 'mine');
    const asked = Array.from({ length: 4 }, () => ask(user('jane')));
    assert.deepEqual(await seated(...asked), [true, true, true, false]);
    control.leave(asked[0]!.flow);
    assert.deepEqual(await seated(ask(user('jane'))), [true]);
    assert.deepEqual(series('rejected'), [
      'rejected_requests_total{priority_level="mine",flow_schema="mine",reason="concurrency-limit"} 1',
    ]);
  });

  it('users take turns, and each has its bound', async () => {
    putLevel('mine', queuing(8, 1, 2));
    putSchema('mine', 'mine', { distinguisherMethod: { type: 'ByUser' } });
    const first = Array.from({ length: 3 }, () => ask(user('hog')));
    const hog = Array.from({ length: 3 }, () => ask(user('hog')));
    const mouse = ask(user('mouse'));
    assert.deepEqual(await seated(...hog, mouse), [undefined, undefined, false, undefined]);
    assert.deepEqual(series('current_inqueue'), ['current_inqueue_requests{priority_level="mine",flow_schema="mine"} 3']);
    control.leave(first[0]!.flow);
    control.leave(first[1]!.flow);
    assert.deepEqual(await seated(...hog, mouse), [true, undefined, false, true]);
    assert.deepEqual(series('rejected'), [
      'rejected_requests_total{priority_level="mine",flow_schema="mine",reason="queue-full"} 1',
    ]);
  });

  it('namespaces take turns; with one queue nobody does', async () => {
    const shop2 = parseRequestInfo('GET', '/api/v1/namespaces/shop2/pods', new URLSearchParams());
    putLevel('mine', queuing(8, 1, 2));
    putSchema('mine', 'mine', { distinguisherMethod: { type: 'ByNamespace' } });
    const distinguish = (): string[] => {
      const flow = control.classify(user('jane'), info);
      return [info, shop2].map((each) => flow.distinguish(user('jane'), each));
    };
    assert.deepEqual(distinguish(), ['shop', 'shop2']);
    putLevel('mine', queuing(1, 1, 2));
    assert.deepEqual(distinguish(), ['', '']);
  });

  it('waiting ends with its time or its client, and leaves nothing behind', async () => {
    putLevel('mine', queuing(8, 8, 8));
    putSchema('mine', 'mine');
    const first = Array.from({ length: 3 }, () => ask(user('jane')));
    const [late, gone, lucky] = [ask(user('jane')), ask(user('jane')), ask(user('jane'))];
    gone.hangUp();
    assert.deepEqual(await seated(late, gone), [undefined, false]);
    clock.advance(maxWaitMs - 1);
    assert.deepEqual(await seated(late), [undefined]);
    for (const each of first) control.leave(each.flow);
    assert.deepEqual(await seated(late, gone, lucky), [true, false, true]);
    assert.equal(clock.pending, 0);
    gone.hangUp();
    lucky.hangUp();
    for (const each of [late, lucky]) control.leave(each.flow);
    assert.deepEqual(series('current'), [
      'current_inqueue_requests{priority_level="mine",flow_schema="mine"} 0',
      'current_executing_requests{priority_level="mine",flow_schema="mine"} 0',
      'current_executing_seats{priority_level="mine",flow_schema="mine"} 0',
    ]);
    const again = Array.from({ length: 4 }, () => ask(user('jane')));
    clock.advance(maxWaitMs);
    assert.deepEqual(await seated(...again), [true, true, true, false]);
    const waits = series('request_wait_duration_seconds_count');
    assert.deepEqual(waits, [
      'request_wait_duration_seconds_count{priority_level="mine",flow_schema="mine",execute="true"} 8',
      'request_wait_duration_seconds_count{priority_level="mine",flow_schema="mine",execute="false"} 2',
    ]);
    assert.deepEqual(series('request_wait_duration_seconds_sum'), [
      'request_wait_duration_seconds_sum{priority_level="mine",flow_schema="mine",execute="true"} 29.998',
      'request_wait_duration_seconds_sum{priority_level="mine",flow_schema="mine",execute="false"} 15',
    ]);
    const timeOuts = 'rejected_requests_total{priority_level="mine",flow_schema="mine",reason="time-out"} 2';
    assert.deepEqual(series('rejected'), [timeOuts]);
  });

  it('flows of two schemas in one level take turns', async () => {
    putLevel('mine', queuing(8, 8, 8));
    putSchema('all', 'mine');
    const first = Array.from({ length: 3 }, () => ask(user('hog')));
    const hog = [ask(user('hog')), ask(user('hog'))];
    putSchema('few', 'mine', { matchingPrecedence: 1 });
    const mouse = ask(user('mouse'));
    assert.equal(mouse.flow.use.schema, 'few');
    for (const each of first.slice(1)) control.leave(each.flow);
    assert.deepEqual(await seated(...hog, mouse), [true, undefined, true]);
  });

  it('a change of the objects keeps who has a seat, who waits and what is counted of them', async () => {
    putLevel('mine', queuing(8, 8, 8));
    putSchema('mine', 'mine');
    const asked = Array.from({ length: 4 }, () => ask(user('jane')));
    putSchema('new', 'mine', { matchingPrecedence: 1 });
    const newcomer = ask(user('jane'));
    assert.deepEqual(await seated(...asked, newcomer), [true, true, true, undefined, undefined]);
    const counted = (schema: string, waiting: number, executing: number): string[] => [
      `current_inqueue_requests{priority_level="mine",flow_schema="${schema}"} ${waiting}`,
      `current_executing_requests{priority_level="mine",flow_schema="${schema}"} ${executing}`,
      `current_executing_seats{priority_level="mine",flow_schema="${schema}"} ${executing}`,
    ];
    assert.deepEqual(series('current').sort(), [...counted('mine', 1, 3), ...counted('new', 1, 0)].sort());
    reader.remove(FlowSchema, { name: 'new' });
    assert.equal(schemaOf(user('jane')), 'mine');
    assert.deepEqual(series('current').sort(), [...counted('mine', 1, 3), ...counted('new', 1, 0)].sort());
  });

  it('a level that is deleted lets go who is in it', async () => {
    putLevel('mine', queuing(8, 8, 8));
    putSchema('mine', 'mine');
    const asked = Array.from({ length: 4 }, () => ask(user('jane')));
    assert.deepEqual(await seated(...asked), [true, true, true, undefined]);
    reader.remove(PriorityLevelConfiguration, { name: 'mine' });
    assert.equal(schemaOf(user('jane')), 'global-default');
    for (const each of asked.slice(0, 3)) control.leave(each.flow);
    assert.deepEqual(await seated(asked[3]!), [true]);
    control.leave(asked[3]!.flow);
    putLevel('other');
    assert.equal(schemaOf(user('jane')), 'global-default');
    assert.deepEqual(
      series('nominal_limit_seats').filter((line) => line.includes('mine')),
      [],
    );
  });

  it('limits are shown as they are', () => {
    assert.ok(series('nominal_limit_seats').includes('nominal_limit_seats{priority_level="workload-low"} 245'));
    putLevel('mine');
    assert.ok(series('nominal_limit_seats').includes('nominal_limit_seats{priority_level="mine"} 3'));
  });

  it('the exempt never wait', () => {
    const admin: UserInfo = { name: 'admin', groups: ['system:masters'], extra: {} };
    for (let n = 0; n < 2000; n++) assert.equal(ask(admin).seated, true);
    assert.deepEqual(series('dispatched'), ['dispatched_requests_total{priority_level="exempt",flow_schema="exempt"} 2000']);
    assert.deepEqual(series('request_wait_duration_seconds'), []);
  });
});
