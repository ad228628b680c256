import type { FieldError } from './field-error.ts';

export type StatusReason =
  | 'BadRequest'
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'MethodNotAllowed'
  | 'NotAcceptable'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Gone'
  | 'Expired'
  | 'RequestEntityTooLarge'
  | 'UnsupportedMediaType'
  | 'Invalid'
  | 'TooManyRequests'
  | 'InternalError'
  | 'ServiceUnavailable'
  | 'ServerTimeout'
  | 'Timeout'
  | 'InsufficientStorage'
  | '';

export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  /** The plural for NotFound, Conflict, AlreadyExists and Forbidden; the Kind for Invalid: upstream's own inconsistency. */
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

/** The `Status` object of the Kubernetes API, as it goes over the wire. */
export interface StatusBody {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: { readonly continue?: string; readonly resourceVersion?: string };
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: StatusReason;
  readonly details?: StatusDetails;
  readonly code: number;
}

/** The one error that crosses the API. Everything else that reaches the HTTP layer is a bug and becomes a 500. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly code: number;
  readonly reason: StatusReason;
  readonly details: StatusDetails | undefined;
  /** For an expired continue token: the token with which to go on inconsistently. */
  readonly continueToken: string | undefined;

  constructor(status: {
    code: number;
    reason: StatusReason;
    message: string;
    details?: StatusDetails;
    continueToken?: string;
    cause?: unknown;
  }) {
    super(status.message, status.cause === undefined ? undefined : { cause: status.cause });
    this.code = status.code;
    this.reason = status.reason;
    this.details = status.details;
    this.continueToken = status.continueToken;
  }

  /** The wire form. */
  toStatus(): StatusBody {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: this.continueToken === undefined ? {} : { continue: this.continueToken },
      status: 'Failure',
      message: this.message,
      ...(this.reason ? { reason: this.reason } : {}),
      ...(this.details ? { details: this.details } : {}),
      code: this.code,
    };
  }

  /** From what a server answered. */
  static fromStatus(status: Partial<StatusBody>, httpCode: number): StatusError {
    return new StatusError({
      code: status.code ?? httpCode,
      reason: status.reason ?? '',
      message: status.message ?? `the server answered ${httpCode}`,
      ...(status.details ? { details: status.details } : {}),
      ...(status.metadata?.continue === undefined ? {} : { continueToken: status.metadata.continue }),
    });
  }
}

/** True for a StatusError with one of these reasons. */
export function isStatus(error: unknown, ...reasons: StatusReason[]): error is StatusError {
  return error instanceof StatusError && reasons.includes(error.reason);
}

/** What messages need of a kind. */
interface ResourceName {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
}

const qualified = (r: ResourceName): string => (r.group ? `${r.plural}.${r.group}` : r.plural);
const named = (r: ResourceName, name: string): StatusDetails => ({
  name,
  ...(r.group ? { group: r.group } : {}),
  kind: r.plural,
});

export const badRequest = (message: string): StatusError => new StatusError({ code: 400, reason: 'BadRequest', message });

export const requestTooLarge = (message: string): StatusError =>
  new StatusError({ code: 413, reason: 'RequestEntityTooLarge', message, details: {} });

export const unauthorized = (): StatusError => new StatusError({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' });

export const notFound = (resource: ResourceName, name: string): StatusError =>
  new StatusError({
    code: 404,
    reason: 'NotFound',
    message: `${qualified(resource)} "${name}" not found`,
    details: named(resource, name),
  });

export const resourceNotFound = (): StatusError =>
  new StatusError({ code: 404, reason: 'NotFound', message: 'the server could not find the requested resource', details: {} });

export const alreadyExists = (resource: ResourceName, name: string, isBeingDeleted = false): StatusError =>
  new StatusError({
    code: 409,
    reason: 'AlreadyExists',
    message: `${isBeingDeleted ? 'object is being deleted: ' : ''}${qualified(resource)} "${name}" already exists`,
    details: named(resource, name),
  });

/** The name the server made, or was given along with generateName, is taken. */
export const generatedNameTaken = (resource: ResourceName, name: string): StatusError =>
  new StatusError({
    code: 409,
    reason: 'AlreadyExists',
    message: `${qualified(resource)} "${name}" already exists, the server was not able to generate a unique name for the object`,
    details: { ...named(resource, name), retryAfterSeconds: 1 },
  });

/** `why` is the text after the colon; by default upstream's optimistic-concurrency message. */
export const conflict = (
  resource: ResourceName,
  name: string,
  why = 'the object has been modified; please apply your changes to the latest version and try again',
): StatusError =>
  new StatusError({
    code: 409,
    reason: 'Conflict',
    message: `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`,
    details: named(resource, name),
  });

/** An object refused by policy: `<resource> "<name>" is forbidden: <why>`. */
export const forbidden = (resource: ResourceName, name: string, why: string, causes?: StatusCause[]): StatusError =>
  new StatusError({
    code: 403,
    reason: 'Forbidden',
    message: name ? `${qualified(resource)} "${name}" is forbidden: ${why}` : `${qualified(resource)} is forbidden: ${why}`,
    details: { ...named(resource, name), ...(causes ? { causes } : {}) },
  });

/** Problems of one object that are told; a large body may have 100,000. */
const maxErrorsTold = 1_000;
/** Characters of all that is told, but for the first problem: each may quote most of the object. */
const maxToldLength = 1024 * 1024;

/** The first problems, as many as are told. */
function told(all: readonly FieldError[]): readonly FieldError[] {
  let length = 0;
  const tooMuch = all.findIndex(({ message }, i) => {
    length += message.length;
    return i > 0 && (i === maxErrorsTold || length > maxToldLength);
  });
  return tooMuch < 0 ? all : all.slice(0, tooMuch);
}

export const invalid = (resource: ResourceName, name: string, all: readonly FieldError[]): StatusError => {
  const errors = told(all);
  const texts = errors.map((e) => `${e.field}: ${e.message}`);
  if (all.length > errors.length) texts.push(`and ${all.length - errors.length} more`);
  return new StatusError({
    code: 422,
    reason: 'Invalid',
    message: `${resource.kind}${resource.group ? `.${resource.group}` : ''} "${name}" is invalid: ${texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`}`,
    details: {
      ...(name ? { name } : {}),
      ...(resource.group ? { group: resource.group } : {}),
      kind: resource.kind,
      causes: errors.map((e) => ({ reason: e.reason, message: e.message, field: e.field })),
    },
  });
};

export const methodNotAllowed = (): StatusError =>
  new StatusError({
    code: 405,
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
    details: {},
  });

/** `kubectl` and informers list again on this. */
export const expired = (message: string, continueToken?: string): StatusError =>
  new StatusError({ code: 410, reason: 'Expired', message, ...(continueToken === undefined ? {} : { continueToken }) });

export const tooManyRequests = (message: string, retryAfterSeconds: number): StatusError =>
  new StatusError({ code: 429, reason: 'TooManyRequests', message, details: { retryAfterSeconds } });

export const internalError = (cause: unknown): StatusError => {
  const text = cause instanceof Error ? cause.message : String(cause);
  return new StatusError({
    code: 500,
    reason: 'InternalError',
    message: `Internal error occurred: ${text}`,
    details: { causes: [{ message: text }] },
    cause,
  });
};

export const serviceUnavailable = (message: string): StatusError =>
  new StatusError({ code: 503, reason: 'ServiceUnavailable', message });
