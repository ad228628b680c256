import { goKindOf } from '../codec/json-objects.ts';
import { badRequest, StatusError } from '../status-error.ts';

/** The patch is well formed and does not fit the object: a failed test, a path that is not there. What is wrong goes to the log only, as upstream. */
export function unprocessable(cause: string): StatusError {
  return new StatusError({
    code: 422,
    reason: 'Invalid',
    message: 'the server rejected our request due to an error in our request',
    details: {},
    cause: new Error(cause),
  });
}

/** The text of the patch is not what a patch of its kind is. */
export const malformed = (message: string): StatusError => badRequest(`error decoding patch: ${message}`);

/** What Go says of a patch that is not an object. */
export const notAMap = (patch: unknown): string =>
  `json: cannot unmarshal ${goKindOf(patch)} into Go value of type map[string]interface {}`;

/** Contradictions in a strategic merge patch: upstream answers 500 and the bare text. */
export const contradiction = (message: string): StatusError => new StatusError({ code: 500, reason: '', message });
