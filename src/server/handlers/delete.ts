import { type BodyKind, decodeBody } from '../../api/codec/decode-body.ts';
import type { FieldError } from '../../api/field-error.ts';
import type { DeleteOptions } from '../../api/generated/types.ts';
import type { Kind } from '../../api/kind.ts';
import type { KubeObject } from '../../api/meta.ts';
import { badRequest, isStatus } from '../../api/status-error.ts';
import { invalid, notSupported } from '../../api/validation/errors.ts';
import type { Answer, Exchange } from '../http/exchange.ts';
import { header } from '../http/exchange.ts';
import { valueAnswer } from '../http/status-answer.ts';
import type { DeleteRequest, Propagation } from '../registry/delete.ts';
import { maxBodyBytes } from './body.ts';
import { callOf, type HandlerDeps, type Target } from './context.ts';
import { pageAnswer } from './list.ts';
import { dryRunErrors, integerOption, isTrue, listRequestOf, refuseWrong } from './options.ts';
import { objectAnswer, representationOf } from './render.ts';

/** DELETE of one object. */
export async function handleDelete(deps: HandlerDeps, target: Target): Promise<Answer> {
  const { exchange, kind, namespace, name } = target;
  const representation = representationOf(exchange);
  const options = await readDeleteOptions(exchange);
  const request = deleteRequestOf(options);
  warnOfOrphans(exchange, kind, request);
  const call = callOf(exchange, 'DeleteOptions', options.dryRun ?? []);
  const result = await deps.registry.delete(call, kind, { namespace, name }, request);
  if (result.gone && !kind.returnsDeletedObject) return valueAnswer(exchange, 200, successStatus(kind, result.object));
  // So old clients see that dependents go first.
  const code = !result.gone && options.orphanDependents === false ? 202 : 200;
  return objectAnswer(exchange, code, kind, result.object, { representation, nowMs: deps.clock.now() });
}

/** DELETE of a collection. */
export async function handleDeleteCollection(deps: HandlerDeps, target: Target): Promise<Answer> {
  const { exchange, kind, namespace } = target;
  representationOf(exchange);
  const selection = listRequestOf(exchange.query, namespace);
  const options = await readDeleteOptions(exchange);
  const request = deleteRequestOf(options);
  warnOfOrphans(exchange, kind, request);
  const call = callOf(exchange, 'DeleteOptions', options.dryRun ?? []);
  const page = await deps.registry.deleteCollection(call, kind, selection, request);
  return pageAnswer(deps, exchange, kind, page);
}

function successStatus(kind: Kind, object: KubeObject): object {
  const { name, uid } = object.metadata;
  const details = { name, ...(kind.group ? { group: kind.group } : {}), kind: kind.plural, uid };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}

const deleteOptions: BodyKind = { group: '', version: 'v1', kind: 'DeleteOptions', type: 'DeleteOptions' };

function warnOfOrphans(exchange: Exchange, kind: Kind, { propagation }: DeleteRequest): void {
  if (kind.orphansWarning !== undefined && propagation === undefined) exchange.warnings.add(kind.orphansWarning);
}

/** Options from the body or, when there is none, from the query. */
async function readDeleteOptions(exchange: Exchange): Promise<DeleteOptions> {
  const bytes = await exchange.readBody(maxBodyBytes);
  return bytes.length > 0 ? optionsOfBody(bytes, header(exchange, 'content-type') ?? '') : optionsOfQuery(exchange.query);
}

function optionsOfBody(bytes: Uint8Array, contentType: string): DeleteOptions {
  try {
    return decodeBody({ bytes, contentType, kind: deleteOptions, fieldValidation: 'Ignore' }).object as DeleteOptions;
  } catch (error) {
    throw isStatus(error, 'BadRequest') ? badRequest(bareMessage(error.message)) : error;
  }
}

/** What is wrong with the options, in upstream's words: without what is said of bodies that are objects. */
function bareMessage(message: string): string {
  const [, unrecognized] = /^the object provided is unrecognized [^:]+: (.*) \(.*\)$/s.exec(message) ?? [];
  if (unrecognized !== undefined) return unrecognized;
  const [, kind, version, why = message] =
    /^(\S+) in version "(.*?)" cannot be handled as a DeleteOptions: (.*)$/s.exec(message) ?? [];
  const scheme = 'in scheme "pkg/apis/meta/internalversion/scheme/register.go:27"';
  if (why.endsWith('unknown conversion')) return `no kind "${kind}" is registered for version "${version}" ${scheme}`;
  const known = why.indexOf('in scheme "');
  return known >= 0 && why.endsWith('"') ? why.slice(0, known) + scheme : why;
}

/** As apimachinery: pkg/apis/meta/v1/conversion.go has it: what one object must be is said without a prefix. */
function optionsOfQuery(query: URLSearchParams): DeleteOptions {
  const options: DeleteOptions = query.has('dryRun') ? { dryRun: query.getAll('dryRun') } : {};
  const grace = /^-\d+$/.test(query.get('gracePeriodSeconds') ?? '') ? 1 : integerOption(query, 'gracePeriodSeconds');
  if (grace !== undefined) options.gracePeriodSeconds = grace;
  const policy = query.get('propagationPolicy');
  if (policy !== null) options.propagationPolicy = policy;
  if (query.has('orphanDependents')) options.orphanDependents = isTrue(query.get('orphanDependents'));
  const uid = query.get('uid');
  const resourceVersion = query.get('resourceVersion');
  if (uid || resourceVersion)
    options.preconditions = { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) };
  return options;
}

const policies: readonly string[] = ['Foreground', 'Background', 'Orphan'];

/** What options ask for; throws StatusError 422. apimachinery: pkg/apis/meta/v1/validation/validation.go ValidateDeleteOptions. */
export function deleteRequestOf(options: DeleteOptions): DeleteRequest {
  const { propagationPolicy: policy, orphanDependents, gracePeriodSeconds, preconditions } = options;
  const errors: FieldError[] = [];
  if (policy !== undefined && orphanDependents !== undefined) {
    errors.push(invalid('propagationPolicy', policy, 'orphanDependents and deletionPropagation cannot be both set'));
  }
  if (policy !== undefined && !policies.includes(policy)) {
    errors.push(notSupported('propagationPolicy', policy, [...policies, 'nil']));
  }
  errors.push(...dryRunErrors(options.dryRun ?? []));
  refuseWrong('DeleteOptions', errors);
  const orphan = orphanDependents === undefined ? undefined : orphanDependents ? 'Orphan' : 'Background';
  return { gracePeriodSeconds, propagation: (policy ?? orphan) as Propagation | undefined, preconditions };
}
