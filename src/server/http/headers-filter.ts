import { type Answer, type Exchange, type Filter, isTakenOver, mapAnswer } from './exchange.ts';

/** Headers every answer has, and the warnings the handlers have collected (apiserver: pkg/server/filters, pkg/warning). */
export const headersFilter: Filter = (exchange, next) =>
  mapAnswer(next(exchange), (answer) => {
    if (!isTakenOver(answer)) addHeaders(exchange, answer);
    return answer;
  });

function addHeaders(exchange: Exchange, answer: Exclude<Answer, { takenOver: true }>): void {
  const { headers } = answer;
  if (exchange.flow) {
    headers['x-kubernetes-pf-flowschema-uid'] = exchange.flow.schemaUid;
    headers['x-kubernetes-pf-prioritylevel-uid'] = exchange.flow.levelUid;
  }
  headers['audit-id'] = exchange.auditId;
  headers['cache-control'] ??= 'no-cache, private';
  if (exchange.warnings.size > 0) headers['warning'] = [...exchange.warnings].map(warningHeader);
}

/** Upstream cuts the sum of warnings at this length when there are many of them. */
const maxWarningLength = 4096;

/** `299 - "text"`, with what HTTP cannot carry left out. */
function warningHeader(text: string): string {
  const clean = text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, maxWarningLength);
  return `299 - "${clean.replace(/[\\"]/g, '\\$&')}"`;
}
