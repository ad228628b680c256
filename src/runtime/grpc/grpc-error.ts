/** The gRPC status codes the runtime client tells apart. */
export const grpcStatus = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  failedPrecondition: 9,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

/** A call that ended with a status other than OK, or did not reach the other side (`unavailable`). */
export class GrpcError extends Error {
  override readonly name = 'GrpcError';
  readonly code: number;
  /** The server's text. */
  readonly details: string;

  constructor(code: number, details: string, method: string, options?: ErrorOptions) {
    super(`${details} (${method}, gRPC status ${code})`, options);
    this.code = code;
    this.details = details;
  }
}

/** Whether `error` is a gRPC status of this code. */
export function isGrpcStatus(error: unknown, code: number): error is GrpcError {
  return error instanceof GrpcError && error.code === code;
}
