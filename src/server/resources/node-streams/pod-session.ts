import { Pod } from '../../../api/kinds/core/pod.ts';
import { badRequest, type StatusError } from '../../../api/status-error.ts';
import type { Authorizer } from '../../auth/authorizer.ts';
import type { HandlerDeps, Target } from '../../handlers/context.ts';
import { isTrue } from '../../handlers/options.ts';
import { authorize } from '../../http/auth-filters.ts';
import type { Answer, Exchange } from '../../http/exchange.ts';
import { admitConnect } from './connect-admission.ts';
import { authorityOf, connectNode, type NodeClientCredentials, nodeAddress, nodeUnreachable } from './node-connection.ts';
import { containerOf, nodeOf } from './pod-target.ts';
import { passUpgrade } from './raw-upgrade.ts';

export interface SessionDeps {
  readonly authorizer: Authorizer;
  readonly nodeClient: () => NodeClientCredentials;
}

type Session = 'exec' | 'attach' | 'portforward';

const optionKinds: Readonly<Record<Session, string>> = {
  exec: 'PodExecOptions',
  attach: 'PodAttachOptions',
  portforward: 'PodPortForwardOptions',
};

/** `pods/<name>/exec`, `/attach`, `/portforward`: authorizes, then joins the client and the pod's node. */
export async function podSession(deps: HandlerDeps, target: Target, session: Session, own: SessionDeps): Promise<Answer> {
  const { exchange, namespace = '', name } = target;
  const pod = deps.registry.get(Pod, { namespace, name });
  requireCreate(target, session, own.authorizer);
  const path = agentPath(target, pod, session);
  await admitConnect(deps, target, session, optionsOf(exchange, session));
  const address = nodeAddress(deps.registry.deps.objects, nodeOf(pod));
  if (!exchange.upgrade) throw badRequest('Upgrade request required');
  const socket = await connectNode(address, own.nodeClient());
  const onError = (error: Error): StatusError => nodeUnreachable(address, error);
  return passUpgrade(exchange, socket, { path, host: authorityOf(address), onError });
}

/**
 * A WebSocket starts with a GET: without this, the right to read would be the right to run commands (kubernetes 1.35:
 * AuthorizePodWebsocketUpgradeCreatePermission).
 */
function requireCreate({ exchange, namespace, name }: Target, session: Session, authorizer: Authorizer): void {
  if (exchange.info.verb === 'create') return;
  authorize(authorizer, {
    user: exchange.user,
    verb: 'create',
    path: exchange.path,
    group: '',
    version: 'v1',
    resource: 'pods',
    subresource: session,
    ...(namespace ? { namespace } : {}),
    name,
  });
}

function agentPath({ exchange, namespace, name }: Target, pod: Pod, session: Session): string {
  const { query } = exchange;
  if (session === 'portforward') {
    nodeOf(pod);
    const ports = query.getAll('ports').flatMap((list) => list.split(','));
    const sent = new URLSearchParams(ports.map((port) => ['port', port]));
    return `/portForward/${namespace}/${name}${sent.size > 0 ? `?${sent}` : ''}`;
  }
  const container = containerOf(pod, query.get('container'));
  nodeOf(pod);
  const sent = new URLSearchParams();
  if (session === 'exec') for (const word of query.getAll('command')) sent.append('command', word);
  const streams = { stdin: 'input', stdout: 'output', stderr: 'error', tty: 'tty' } as const;
  for (const [asked, name_] of Object.entries(streams)) if (isTrue(query.get(asked))) sent.set(name_, '1');
  if (session === 'exec' && !sent.has('command')) throw badRequest('you must specify at least 1 command for the container');
  if (!sent.has('input') && !sent.has('output') && !sent.has('error')) {
    throw badRequest('you must specify at least one of stdin, stdout, stderr');
  }
  return `/${session}/${namespace}/${name}/${container}?${sent}`;
}

function optionsOf({ query }: Exchange, session: Session): Record<string, unknown> {
  const options: Record<string, unknown> = { kind: optionKinds[session], apiVersion: 'v1' };
  for (const flag of ['stdin', 'stdout', 'stderr', 'tty']) if (isTrue(query.get(flag))) options[flag] = true;
  const container = query.get('container');
  if (container) options['container'] = container;
  if (session === 'exec') options['command'] = query.getAll('command');
  return options;
}
