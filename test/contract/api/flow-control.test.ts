import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { after, before, describe, it } from 'node:test';
import { FakeClock } from '../../../src/lib/clock.ts';
import type { ApiServer } from '../../../src/server/api-server.ts';
import { type Answer, type Exchange, textAnswer } from '../../../src/server/http/exchange.ts';
import { type Answered, caller, mergePatch, type Send } from '../../support/api-caller.ts';
import { startTestApi } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import { throwAwayTls } from '../../support/throw-away-tls.ts';

const api = '/apis/flowcontrol.apiserver.k8s.io/v1';
const schemas = `${api}/flowschemas`;
const levels = `${api}/prioritylevelconfigurations`;
const maps = '/api/v1/namespaces/default/configmaps';

describe('priority and fairness', () => {
  let server: ApiServer;
  let stop: () => Promise<void>;
  let send: Send;
  const clock = new FakeClock();
  const certificates = throwAwayTls();
  /** Requests for `/slow` are worked on until they are let go. */
  const slow: { user: string; end(answer: Answer | Error): void }[] = [];
  before(async () => {
    const work = ({ user }: Exchange): Promise<Answer> =>
      new Promise((resolve, reject) => {
        slow.push({ user: user.name, end: (answer) => (answer instanceof Error ? reject(answer) : resolve(answer)) });
      });
    ({ server, stop } = await startTestApi({
      clock,
      overrides: { paths: new Map([['slow', work]]), tls: certificates.tls, host: '127.0.0.1' },
    }));
    send = caller(server);
    await eventually('the standard schemas', async () => (await send(`GET ${schemas}`)).json.items.length === 11);
    await allowPaths();
    await eventually('the standard levels', async () => (await send(`GET ${levels}`)).json.items.length === 8);
  });
  after(() => stop());

  async function allowPaths(): Promise<void> {
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    const rules = [{ verbs: ['get'], nonResourceURLs: ['/slow', '/version'] }];
    await send(`POST ${rbac}/clusterroles`, { metadata: { name: 'slow' }, rules });
    const everybody = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:authenticated' };
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'slow' };
    await send(`POST ${rbac}/clusterrolebindings`, { metadata: { name: 'slow' }, roleRef, subjects: [everybody] });
  }

  const as = (user: string, ...groups: string[]) => ({
    'impersonate-user': user,
    'impersonate-group': ['system:authenticated', ...groups],
  });
  const ask = async (request: string, headers: object = {}, body?: object): Promise<Answered> =>
    send(request, body, headers as Record<string, string>);
  const idsOf = ({ headers }: Answered): unknown[] => [
    headers['x-kubernetes-pf-flowschema-uid'],
    headers['x-kubernetes-pf-prioritylevel-uid'],
  ];
  const uidOf = async (path: string): Promise<string> => (await send(`GET ${path}`)).json.metadata.uid;
  const idsOfStandard = async (schema: string, level: string): Promise<unknown[]> =>
    Promise.all([uidOf(`${schemas}/${schema}`), uidOf(`${levels}/${level}`)]);

  /** A level of 3 seats for some users. */
  async function add(name: string, limitResponse: object, ...users: string[]): Promise<unknown[]> {
    const limited = { nominalConcurrencyShares: 1, borrowingLimitPercent: 0, limitResponse };
    const level = await send(`POST ${levels}`, { metadata: { name }, spec: { type: 'Limited', limited } });
    const nonResourceRules = [{ verbs: ['*'], nonResourceURLs: ['*'] }];
    const subjects = users.map((user) => ({ kind: 'User', user: { name: user } }));
    const schema = await send(`POST ${schemas}`, {
      metadata: { name },
      spec: {
        matchingPrecedence: 1000,
        priorityLevelConfiguration: { name },
        distinguisherMethod: { type: 'ByUser' },
        rules: [{ subjects, nonResourceRules }],
      },
    });
    assert.deepEqual([level.status, schema.status], [201, 201], level.body + schema.body);
    return [schema.json.metadata.uid, level.json.metadata.uid];
  }

  const asked = (user: string, url = '/slow'): Promise<Answered> => ask(`GET ${url}`, as(user));
  const endAll = (answer: () => Answer | Error): void => {
    for (const { end } of slow.splice(0)) end(answer());
  };
  /** The value of the first series that begins like this. */
  const metric = async (series: string): Promise<number> => {
    const { body } = await send('GET /metrics');
    const line = body.split('\n').find((each) => each.startsWith(series));
    return Number(line?.split(' ').at(-1));
  };

  it('every answer says which schema and level decided, by uid', async () => {
    const exempt = await idsOfStandard('exempt', 'exempt');
    assert.deepEqual(idsOf(await ask('GET /version')), exempt);
    const refused = await ask(`GET ${maps}`, as('jane'));
    assert.equal(refused.status, 403);
    assert.deepEqual(idsOf(refused), await idsOfStandard('global-default', 'global-default'));
    const rows: [request: string, status: number][] = [
      [`GET ${maps}/none`, 404],
      [`GET ${maps}`, 200],
      ['GET /nope', 404],
    ];
    for (const [request, status] of rows) {
      const answer = await ask(request);
      assert.deepEqual([answer.status, ...idsOf(answer)], [status, ...exempt], request);
    }
    const watch = ask(`GET ${maps}?watch=1&timeoutSeconds=1`);
    await eventually('the watch is open', async () => (await metric('apiserver_longrunning_requests{verb="WATCH"')) > 0);
    const executing = 'apiserver_flowcontrol_current_executing_requests{priority_level="exempt",flow_schema="exempt"} ';
    assert.equal(await metric(executing), 1, 'only the one that asks has a seat');
    clock.advance(2_000);
    assert.deepEqual(idsOf(await watch), exempt);
  });

  it('connections to nodes, and who is not known, are not told', async () => {
    const account = { metadata: { name: 'default' } };
    await send('POST /api/v1/namespaces/default/serviceaccounts', account);
    const containers = [{ name: 'c', image: 'x' }];
    assert.equal(
      (await send('POST /api/v1/namespaces/default/pods', { metadata: { name: 'p' }, spec: { containers } })).status,
      201,
    );
    for (const what of ['log', 'exec?command=a&stdout=1', 'proxy/']) {
      const answer = await ask(`GET /api/v1/namespaces/default/pods/p/${what}`);
      assert.deepEqual(idsOf(answer), [undefined, undefined], what);
    }
    const withoutUser = await ask('GET /version', { 'impersonate-group': 'g' });
    assert.deepEqual([withoutUser.status, ...idsOf(withoutUser)], [400, undefined, undefined]);
  });

  it('a new schema and level count from the next request on', async () => {
    const mine = await add('mine', { type: 'Reject' }, 'mia');
    assert.deepEqual(idsOf(await ask('GET /version', as('mia'))), mine);
    assert.deepEqual(idsOf(await ask(`GET ${maps}`, as('mia'))), await idsOfStandard('global-default', 'global-default'));
    await send(`PATCH ${schemas}/mine`, { spec: { matchingPrecedence: 9950 } }, mergePatch);
    assert.deepEqual(idsOf(await ask('GET /version', as('mia'))), await idsOfStandard('global-default', 'global-default'));
    await send(`DELETE ${schemas}/mine`);
    await send(`DELETE ${levels}/mine`);
  });

  it('beyond its seats a level answers 429 as upstream does', async () => {
    const ids = await add('few', { type: 'Reject' }, 'ron');
    const first = [asked('ron'), asked('ron'), asked('ron')];
    await eventually('they are worked on', () => slow.length === 3);
    const { status, headers, body } = await asked('ron');
    assert.deepEqual([status, body], [429, 'Too many requests, please try again later.\n']);
    assert.deepEqual([headers['content-type'], headers['retry-after']], ['text/plain; charset=utf-8', '1']);
    assert.deepEqual(idsOf({ status, headers, body, json: undefined }), ids);
    await Promise.all([asked('ron'), asked('ron')]);
    clock.advance(1_000);
    assert.equal((await asked('ron')).headers['retry-after'], '2', 'three were turned away within a second');
    assert.equal((await ask('GET /version', as('jane'))).status, 200);
    assert.equal(
      await metric('apiserver_current_inflight_requests{request_kind="readOnly"} '),
      4,
      'the one that asks counts too',
    );
    endAll(() => new Error('it failed'));
    assert.deepEqual(
      (await Promise.all(first)).map((answer) => answer.status),
      [500, 500, 500],
    );
    const again = [asked('ron'), asked('ron'), asked('ron')];
    await eventually('seats are free again after failures', () => slow.length === 3);
    endAll(() => textAnswer(200, 'done'));
    assert.deepEqual(
      (await Promise.all(again)).map((answer) => answer.status),
      [200, 200, 200],
    );
    assert.equal(await metric('apiserver_flowcontrol_dispatched_requests_total{priority_level="few",flow_schema="few"} '), 6);
    assert.equal(await metric('apiserver_flowcontrol_nominal_limit_seats{priority_level="few"} '), 3);
  });

  it('users who wait take turns, for a quarter of the time they have', async () => {
    await add('fair', { type: 'Queue', queuing: { queues: 16, handSize: 2, queueLengthLimit: 10 } }, 'hog', 'mouse');
    const hog = Array.from({ length: 10 }, () => asked('hog'));
    const mouse = asked('mouse');
    const waiting = 'apiserver_flowcontrol_current_inqueue_requests{priority_level="fair",flow_schema="fair"} ';
    await eventually('the others wait', async () => (await metric(waiting)) === 8);
    const served: string[] = [];
    const serve = async (): Promise<void> => {
      await eventually('one is worked on', () => slow.length > 0);
      const { user, end } = slow.shift()!;
      served.push(user);
      end(textAnswer(200, 'done'));
    };
    for (let n = 0; n < 6; n++) await serve();
    assert.equal(served.indexOf('mouse'), 4, `${served}`);
    assert.equal((await mouse).status, 200);
    const hasty = asked('hog', '/slow?timeout=4s');
    clock.advance(1_000);
    assert.equal((await hasty).status, 429);
    clock.advance(14_000);
    await eventually('the others are turned away', async () => (await metric(waiting)) === 0);
    endAll(() => textAnswer(200, 'done'));
    const statuses = (await Promise.all(hog)).map(({ status }) => status);
    assert.deepEqual([statuses.filter((s) => s === 200).length, statuses.filter((s) => s === 429).length], [8, 2]);
  });

  it('clients that hang up leave the queue', async () => {
    await add('short', { type: 'Queue', queuing: { queues: 16, handSize: 2, queueLengthLimit: 10 } }, 'ann');
    const first = [asked('ann'), asked('ann'), asked('ann')];
    const url = `https://127.0.0.1:${server.port}`;
    const ca = certificates.caPem;
    const session = connectHttp2(url, { ca });
    const stream = session.request({ ':path': '/slow', ...as('ann') }).on('error', () => {});
    const other = session.request({ ':path': '/slow', ...as('ann') }).on('error', () => {});
    const call = request(`${url}/slow`, { ca, headers: as('ann'), agent: false }).on('error', () => {});
    call.end();
    const waiting = 'apiserver_flowcontrol_current_inqueue_requests{priority_level="short",flow_schema="short"} ';
    const are = (count: number) => eventually(`${count} wait`, async () => (await metric(waiting)) === count);
    await are(3);
    call.destroy();
    await are(2);
    stream.close();
    await are(1);
    session.destroy();
    await are(0);
    other.destroy();
    await eventually('the first are worked on', () => slow.length === 3);
    endAll(() => textAnswer(200, 'done'));
    assert.deepEqual(
      (await Promise.all(first)).map(({ status }) => status),
      [200, 200, 200],
    );
  });
});
