import { canonicalScalar, scalarProblem } from '../../../api/codec/scalars.ts';
import type { FieldError } from '../../../api/field-error.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { badRequest, invalid, StatusError } from '../../../api/status-error.ts';
import type { HandlerDeps, Target } from '../../handlers/context.ts';
import { integerOption, isTrue } from '../../handlers/options.ts';
import { type Answer, type Exchange, header } from '../../http/exchange.ts';
import { collect } from './collect.ts';
import { open, streamed } from './forward.ts';
import { connectTimeoutMs, type NodeClientCredentials, nodeAddress, nodeUnreachable } from './node-connection.ts';
import { containerOf } from './pod-target.ts';

/** Options the agent understands under the same names. */
const passed = ['follow', 'previous', 'timestamps', 'sinceSeconds', 'sinceTime', 'tailLines', 'limitBytes', 'stream'] as const;
const maxErrorBytes = 64 * 1024;

/** `GET pods/<name>/log`: the node agent's answer as it comes. */
export async function podLog(
  deps: HandlerDeps,
  { exchange, namespace, name }: Target,
  credentials: () => NodeClientCredentials,
): Promise<Answer> {
  checkOptions(exchange, name);
  const pod = deps.registry.get(Pod, { namespace, name });
  const { query } = exchange;
  const container = containerOf(pod, query.get('container'));
  // As upstream: no node yet is no content yet.
  if (!pod.spec.nodeName) return { status: 204, headers: {}, parts: [] };
  const address = nodeAddress(deps.registry.deps.objects, pod.spec.nodeName);
  const { certificatePem, keyPem, caPem } = credentials();
  const response = await open(
    exchange,
    {
      scheme: 'https',
      ...address,
      method: 'GET',
      path: `/containerLogs/${namespace}/${name}/${container}?${agentQuery(query)}`,
      headers: { 'user-agent': header(exchange, 'user-agent') ?? 'skiff' },
      tls: {
        cert: certificatePem,
        key: keyPem,
        ca: caPem,
        rejectUnauthorized: !isTrue(query.get('insecureSkipTLSVerifyBackend')),
      },
      timeoutMs: connectTimeoutMs,
      onError: (error) => nodeUnreachable(address, error),
    },
    false,
  );
  if (response.statusCode !== 200) throw agentError(response.statusCode ?? 500, await collect(response, maxErrorBytes));
  return streamed(response, { 'content-type': 'text/plain', 'cache-control': 'no-cache, private' });
}

function agentQuery(query: URLSearchParams): URLSearchParams {
  const sent = new URLSearchParams();
  for (const name of passed) {
    const value = query.get(name);
    if (value !== null && value !== '') sent.set(name, value);
  }
  return sent;
}

/** The agent says in plain text what is wrong. */
function agentError(code: number, body: Uint8Array): StatusError {
  const message = Buffer.from(body).toString().trim() || `the node agent answered ${code}`;
  const reason = code === 400 ? 'BadRequest' : code === 404 ? 'NotFound' : code >= 500 ? 'InternalError' : '';
  return new StatusError({ code, reason, message });
}

/** kubernetes: pkg/apis/core/validation/validation.go ValidatePodLogOptions. */
function checkOptions({ query }: Exchange, pod: string): void {
  const errors: FieldError[] = [];
  const number = (field: string, least: number): void => {
    const text = query.get(field);
    if (integerOption(query, field) === undefined || Number(text) >= least) return;
    const message = `Invalid value: ${text}: must be greater than ${least === 0 ? 'or equal to 0' : '0'}`;
    errors.push({ reason: 'FieldValueInvalid', field, message });
  };
  const since = query.get('sinceTime');
  if (since && canonicalScalar('time', since) === undefined) throw badRequest(scalarProblem('time', JSON.stringify(since)));
  number('tailLines', 0);
  number('sinceSeconds', 1);
  number('limitBytes', 1);
  if (query.get('sinceSeconds') && query.get('sinceTime')) {
    const message = 'Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified';
    errors.push({ reason: 'FieldValueForbidden', field: '[]', message });
  }
  if (errors.length > 0) throw invalid({ group: '', plural: 'podlogoptions', kind: 'PodLogOptions' }, pod, errors);
}
