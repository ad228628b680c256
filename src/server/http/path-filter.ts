import { badRequest } from '../../api/status-error.ts';
import type { Filter } from './exchange.ts';

/** Refuses paths with broken escapes (`%zz`), which nobody can have meant; Go's HTTP server does so before upstream sees them. */
export const pathFilter: Filter = (exchange, next) => {
  if (exchange.path.includes('%') && !isDecodable(exchange.path))
    throw badRequest(`the path ${JSON.stringify(exchange.path)} has a broken escape`);
  return next(exchange);
};

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}
