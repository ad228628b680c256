import type { ComponentStatus as ComponentStatusType } from '../../../api/generated/types.ts';
import { ComponentStatus } from '../../../api/kinds/core/component-status.ts';
import { methodNotAllowed, notFound } from '../../../api/status-error.ts';
import type { HandlerDeps, Target } from '../../handlers/context.ts';
import { includeObjectOf } from '../../handlers/options.ts';
import { objectAnswer, representationOf } from '../../handlers/render.ts';
import { tableOf } from '../../handlers/table.ts';
import type { Answer } from '../../http/exchange.ts';
import { valueAnswer } from '../../http/status-answer.ts';

const names = ['scheduler', 'controller-manager', 'etcd-0'] as const;

/** Deprecated, and still what old dashboards ask: scheduler, controllers and storage are parts of this process, well while it answers. */
export function componentStatuses(deps: HandlerDeps, { exchange, name }: Target): Answer {
  const representation = representationOf(exchange);
  const nowMs = deps.clock.now();
  if (exchange.info.verb === 'get') {
    if (!names.some((n) => n === name)) throw notFound(ComponentStatus, name);
    return objectAnswer(exchange, 200, ComponentStatus, statusOf(name), { representation, nowMs });
  }
  if (exchange.info.verb !== 'list') throw methodNotAllowed();
  const items = names.map(statusOf);
  if (representation.as === 'Table') {
    const include = includeObjectOf(exchange.query);
    const { metaVersion } = representation;
    return valueAnswer(
      exchange,
      200,
      tableOf({ kind: ComponentStatus, objects: items, metadata: {}, nowMs, metaVersion, include }),
    );
  }
  const bare = items.map(({ metadata, conditions }) => ({ metadata, conditions }));
  return valueAnswer(exchange, 200, { kind: 'ComponentStatusList', apiVersion: 'v1', metadata: {}, items: bare });
}

function statusOf(name: string): ComponentStatusType {
  return {
    kind: 'ComponentStatus',
    apiVersion: 'v1',
    metadata: { name } as ComponentStatusType['metadata'],
    conditions: [{ type: 'Healthy', status: 'True', message: 'ok' }],
  };
}
