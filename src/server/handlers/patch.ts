import type { Kind } from '../../api/kind.ts';
import type { KubeObject } from '../../api/meta.ts';
import { StatusError } from '../../api/status-error.ts';
import { lookup } from '../../lib/lookup.ts';
import { authorizeCreate } from '../http/auth-filters.ts';
import type { Answer, Exchange } from '../http/exchange.ts';
import { header } from '../http/exchange.ts';
import type { Call } from '../registry/call.ts';
import { applyPatch } from '../registry/patch.ts';
import type { Patch, PatchKind } from '../registry/patch-application.ts';
import type { UpdateRules } from '../registry/update.ts';
import { maxBodyBytes } from './body.ts';
import { callOf, fieldValidationOf, type HandlerDeps, type Target } from './context.ts';
import { invalidOption, isTrue } from './options.ts';
import { representationOf, writtenAnswer } from './render.ts';

const patchKinds: Readonly<Record<string, PatchKind>> = lookup({
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
});

/** PATCH of one object, or of a sub-resource that shows the whole object. */
export async function handlePatch(deps: HandlerDeps, target: Target, rules?: UpdateRules): Promise<Answer> {
  const { exchange, kind, namespace, name } = target;
  const representation = representationOf(exchange);
  const type = patchKindOf(exchange, kind);
  const call = callOf(exchange, 'PatchOptions');
  const patch = await readPatch(exchange, type);
  const result = await patchObject(deps, call, {
    kind,
    key: { namespace, name },
    patch,
    authorizeCreate: () => authorizeCreate(deps.authorizer, exchange),
    ...(rules ? { rules } : {}),
  });
  const pause = exchange.pauses();
  if (pause) await pause();
  return writtenAnswer(deps.registry.deps.objects, exchange, kind, result, { representation, nowMs: deps.clock.now() });
}

/** Applies a patch to the newest state, again when somebody else writes in between. */
export async function patchObject(
  deps: HandlerDeps,
  call: Call,
  options: {
    kind: Kind;
    key: { namespace?: string | undefined; name: string };
    patch: Patch;
    /** As in UpdateRequest. */
    authorizeCreate(): void;
    rules?: UpdateRules;
  },
): Promise<{ object: KubeObject; created: boolean }> {
  const { kind, key, patch, rules } = options;
  const nowMs = deps.clock.now();
  const subresource = rules?.subresource ?? '';
  return deps.registry.update(call, kind, {
    key,
    transform: (current) =>
      applyPatch({ kinds: deps.kinds, kind, key, current, patch, call, nowMs, subresource, only: rules?.changes }),
    transformCopies: true,
    unconditional: true,
    allowCreate: patch.type === 'apply' && !rules,
    authorizeCreate: options.authorizeCreate,
    managersAreTracked: patch.type === 'apply',
    ...(rules ? { rules } : {}),
  });
}

/** What sort of patch the content type names. Throws StatusError 415. */
export function patchKindOf(exchange: Exchange, kind: Kind): PatchKind {
  const contentType = (header(exchange, 'content-type') ?? '').split(';', 1)[0]!.trim();
  const type = patchKinds[contentType];
  if (!type || (type === 'strategic' && kind.type === '')) throw unsupportedPatch(kind);
  return type;
}

/** Reads and checks what a PATCH carries, and its options. */
export async function readPatch(exchange: Exchange, type: PatchKind): Promise<Patch> {
  const { query } = exchange;
  const fieldValidation = fieldValidationOf(query, 'PatchOptions');
  const force = query.has('force') ? isTrue(query.get('force')) : undefined;
  if (type === 'apply' && !query.get('fieldManager')) {
    throw invalidOption('PatchOptions', 'fieldManager', 'FieldValueRequired', 'Required value: is required for apply patch');
  }
  if (type !== 'apply' && force !== undefined) {
    throw invalidOption('PatchOptions', 'force', 'FieldValueForbidden', 'Forbidden: may not be specified for non-apply patch');
  }
  const bytes = await exchange.readBody(maxBodyBytes);
  return { type, bytes, fieldValidation, force: force ?? false };
}

function unsupportedPatch(kind: Kind): StatusError {
  const custom = kind.type === '';
  const types = Object.keys(patchKinds).filter((type) => !custom || patchKinds[type] !== 'strategic');
  const message = custom
    ? `the body of the request was in an unknown format - accepted media types include: ${types.join(', ')}`
    : '415: Unsupported Media Type';
  return new StatusError({ code: 415, reason: 'UnsupportedMediaType', message, ...(custom ? {} : { details: {} }) });
}
