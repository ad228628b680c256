import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { type Answered, caller, type Send } from '../support/api-caller.ts';
import { startGuardedApi } from '../support/guarded-api.ts';

interface Step {
  /** Method and path. */
  readonly do: string;
  readonly body?: unknown;
  readonly type?: string;
  /** A node's user name; an administrator's when absent. */
  readonly as?: string;
  readonly answer?: Outcome;
}

interface Outcome {
  readonly status: number;
  readonly message?: string;
  readonly warnings?: readonly string[];
  readonly shows?: Readonly<Record<string, unknown>>;
}

/** Requests made one after the other, and what a kube-apiserver 1.36.2 answered; each file has a server of its own. */
for (const name of ['admission', 'updates', 'subresources']) {
  describe(name, () => {
    let send: Send;
    let stop: () => Promise<void>;

    before(async () => {
      const api = await startGuardedApi();
      stop = api.stop;
      send = caller(api.server);
      await send('POST /api/v1/namespaces/kube-system/serviceaccounts', { metadata: { name: 'default' } });
    });

    after(() => stop());

    const [, ...suites] = readFileSync(`test/golden/${name}.txt`, 'utf8').trimEnd().split('\n# ');
    for (const suite of suites) {
      const [title = '', ...lines] = suite.trimEnd().split('\n');
      it(title, () => replay(send, lines));
    }
  });
}

async function replay(send: Send, lines: readonly string[]): Promise<void> {
  const recorded: Outcome[] = [];
  const ours: Outcome[] = [];
  for (const line of lines) {
    const step: Step = JSON.parse(line);
    const answered = await send(step.do, step.body, headersOf(step));
    if (!step.answer) continue;
    recorded.push(step.answer);
    ours.push(outcome(answered, Object.keys(step.answer.shows ?? {})));
  }
  assert.deepEqual(ours, recorded);
}

function headersOf({ type = 'application/json', as }: Step): Record<string, string> {
  return { 'content-type': type, ...(as ? { 'impersonate-user': as, 'impersonate-group': 'system:nodes' } : {}) };
}

function outcome({ status, headers, json }: Answered, fields: readonly string[]): Outcome {
  const warnings = [headers['warning'] ?? []].flat().map((warning) => JSON.parse(warning.slice('299 - '.length)));
  return {
    status,
    ...(json.kind === 'Status' && json.message ? { message: json.message } : {}),
    ...(warnings.length > 0 ? { warnings } : {}),
    ...(fields.length > 0 ? { shows: Object.fromEntries(fields.map((field) => [field, valueAt(json, field)])) } : {}),
  };
}

/** `resources` are those of all containers. */
function valueAt(object: Answered['json'], field: string): unknown {
  if (field !== 'resources') return field.split('.').reduce((at, key) => at?.[key], object);
  const containers: { resources?: unknown }[] = [...(object.spec.initContainers ?? []), ...object.spec.containers];
  return containers.map(({ resources }) => resources ?? {});
}
