import { forbidden, type StatusError } from '../../api/status-error.ts';
import type { AdmissionRequest } from './admission.ts';

/** The 403 of a plugin: `<resource> "<name>" is forbidden: <why>`. */
export function refuse(request: AdmissionRequest, why: string): StatusError {
  const { name, generateName } = request.object?.metadata ?? {};
  return forbidden(request.kind, request.name || name || generateName || 'Unknown', why);
}
