import type { HandlerDeps, Target } from '../../handlers/context.ts';
import type { Answer } from '../../http/exchange.ts';
import { podLog } from './pod-log.ts';
import { podSession, type SessionDeps } from './pod-session.ts';
import { proxy } from './proxy.ts';

type Connect = (deps: HandlerDeps, target: Target) => Promise<Answer>;

/** The sub-resources whose answers come from a node, pod or service. */
export function nodeStreams(own: SessionDeps): Readonly<Record<'log' | 'exec' | 'attach' | 'portforward' | 'proxy', Connect>> {
  return {
    log: (deps, target) => podLog(deps, target, own.nodeClient),
    exec: (deps, target) => podSession(deps, target, 'exec', own),
    attach: (deps, target) => podSession(deps, target, 'attach', own),
    portforward: (deps, target) => podSession(deps, target, 'portforward', own),
    proxy: (deps, target) => proxy(deps, target, own.nodeClient),
  };
}
