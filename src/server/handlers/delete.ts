import { type BodyKind, decodeBody } from '../../api/codec/decode-body.ts';
import type { DeleteOptions } from '../../api/generated/types.ts';
import type { Kind } from '../../api/kind.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { Answer, Exchange } from '../http/exchange.ts';
import { header } from '../http/exchange.ts';
import { valueAnswer } from '../http/status-answer.ts';
import type { DeleteRequest, Propagation } from '../registry/delete.ts';
import { maxBodyBytes } from './body.ts';
import { callOf, type HandlerDeps, type Target } from './context.ts';
import { pageAnswer } from './list.ts';
import { integerOption, invalidOption, isTrue, listRequestOf } from './options.ts';
import { objectAnswer, representationOf } from './render.ts';

/** DELETE of one object. */
export async function handleDelete(deps: HandlerDeps, target: Target): Promise<Answer> {
  const { exchange, kind, namespace, name } = target;
  const representation = representationOf(exchange);
  const options = await readDeleteOptions(exchange);
  const call = callOf(exchange, 'DeleteOptions', options.dryRun);
  const result = await deps.registry.delete(call, kind, { namespace, name }, deleteRequestOf(options));
  if (result.gone && !kind.returnsDeletedObject) return valueAnswer(exchange, 200, successStatus(kind, result.object));
  return objectAnswer(exchange, 200, kind, result.object, { representation, nowMs: deps.clock.now() });
}

/** DELETE of a collection. */
export async function handleDeleteCollection(deps: HandlerDeps, target: Target): Promise<Answer> {
  const { exchange, kind, namespace } = target;
  representationOf(exchange);
  const options = await readDeleteOptions(exchange);
  const call = callOf(exchange, 'DeleteOptions', options.dryRun);
  const selection = listRequestOf(exchange.query, namespace);
  const page = await deps.registry.deleteCollection(call, kind, selection, deleteRequestOf(options));
  return pageAnswer(deps, exchange, kind, page);
}

function successStatus(kind: Kind, object: KubeObject): object {
  const { name, uid } = object.metadata;
  const details = { name, ...(kind.group ? { group: kind.group } : {}), kind: kind.plural, uid };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}

const deleteOptions: BodyKind = { group: '', version: 'v1', kind: 'DeleteOptions', type: 'DeleteOptions' };

/** Options from the body and, over them, from the query. */
async function readDeleteOptions(exchange: Exchange): Promise<DeleteOptions> {
  const bytes = await exchange.readBody(maxBodyBytes);
  const contentType = header(exchange, 'content-type') ?? '';
  const options: DeleteOptions =
    bytes.length > 0 ? decodeBody({ bytes, contentType, kind: deleteOptions, fieldValidation: 'Ignore' }).object : {};
  const { query } = exchange;
  const grace = /^-\d+$/.test(query.get('gracePeriodSeconds') ?? '') ? 1 : integerOption(query, 'gracePeriodSeconds');
  if (grace !== undefined) options.gracePeriodSeconds = grace;
  const policy = query.get('propagationPolicy');
  if (policy !== null) options.propagationPolicy = policy;
  if (query.has('orphanDependents')) options.orphanDependents = isTrue(query.get('orphanDependents'));
  return options;
}

const policies: ReadonlySet<string> = new Set(['Foreground', 'Background', 'Orphan', '']);

/** What options ask for; throws StatusError 422. apimachinery: pkg/apis/meta/v1/validation/validation.go ValidateDeleteOptions. */
export function deleteRequestOf(options: DeleteOptions): DeleteRequest {
  const { propagationPolicy: policy, orphanDependents, gracePeriodSeconds, preconditions } = options;
  if (policy !== undefined && orphanDependents !== undefined) {
    const message = `Invalid value: ${JSON.stringify(policy)}: orphanDependents and deletionPropagation cannot be both set`;
    throw invalidOption('DeleteOptions', 'propagationPolicy', 'FieldValueInvalid', message);
  }
  if (policy !== undefined && !policies.has(policy)) {
    const message = `Unsupported value: ${JSON.stringify(policy)}: supported values: "Foreground", "Background", "Orphan", "nil"`;
    throw invalidOption('DeleteOptions', 'propagationPolicy', 'FieldValueNotSupported', message);
  }
  const orphan = orphanDependents === undefined ? undefined : orphanDependents ? 'Orphan' : 'Background';
  return {
    gracePeriodSeconds,
    propagation: (policy || orphan || undefined) as Propagation | undefined,
    preconditions,
  };
}
