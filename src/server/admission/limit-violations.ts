import type { LimitRangeItem } from '../../api/generated/types.ts';
import { parseQuantity } from '../../lib/quantity.ts';

type ResourceList = Readonly<Record<string, string>>;

const nanos = (text: string | undefined): bigint => parseQuantity(String(text ?? '0'))?.nanos ?? 0n;

/** Which minima, maxima and ratios a thing breaks, in upstream's words. Without `limits` the maxima hold for its requests. */
export function limitViolations(limit: LimitRangeItem, requests: ResourceList, limits: ResourceList | undefined): string[] {
  const { type } = limit;
  return [
    ...Object.entries(limit.min ?? {}).map(([name, min]) =>
      belowMinimum(`${name} usage per ${type}`, min, requests[name], limits?.[name]),
    ),
    ...Object.entries(limit.max ?? {}).map(([name, max]) =>
      limits
        ? aboveMaximum(`${name} usage per ${type}`, max, requests[name], limits[name])
        : requestAboveMaximum(`${name} usage per ${type}`, max, requests[name]),
    ),
    ...Object.entries(limit.maxLimitRequestRatio ?? {}).map(([name, ratio]) =>
      aboveRatio(`${name} max limit to request ratio per ${type}`, ratio, requests[name], limits?.[name]),
    ),
  ].filter((problem) => problem !== undefined);
}

function belowMinimum(what: string, min: string, request: string | undefined, limit: string | undefined): string | undefined {
  if (request === undefined) return `minimum ${what} is ${min}.  No request is specified`;
  if (nanos(request) < nanos(min)) return `minimum ${what} is ${min}, but request is ${request}`;
  if (limit !== undefined && nanos(limit) < nanos(min)) return `minimum ${what} is ${min}, but limit is ${limit}`;
  return undefined;
}

function aboveMaximum(what: string, max: string, request: string | undefined, limit: string | undefined): string | undefined {
  if (limit === undefined) return `maximum ${what} is ${max}.  No limit is specified`;
  if (nanos(limit) > nanos(max)) return `maximum ${what} is ${max}, but limit is ${limit}`;
  if (request !== undefined && nanos(request) > nanos(max)) return `maximum ${what} is ${max}, but request is ${request}`;
  return undefined;
}

function requestAboveMaximum(what: string, max: string, request: string | undefined): string | undefined {
  if (request === undefined) return `maximum ${what} is ${max}.  No request is specified`;
  return nanos(request) > nanos(max) ? `maximum ${what} is ${max}, but request is ${request}` : undefined;
}

function aboveRatio(what: string, max: string, request: string | undefined, limit: string | undefined): string | undefined {
  if (nanos(request) === 0n) return `${what} is ${max}, but no request is specified or request is 0`;
  if (nanos(limit) === 0n) return `${what} is ${max}, but no limit is specified or limit is 0`;
  const ratio = Number(nanos(limit)) / Number(nanos(request));
  return ratio * 1e9 > Number(nanos(max)) ? `${what} is ${max}, but provided ratio is ${ratio.toFixed(6)}` : undefined;
}
