import type { Pod } from '../../../api/kinds/core/pod.ts';
import { badRequest } from '../../../api/status-error.ts';

/** The container a log or exec request means (kubernetes: pkg/registry/core/pod/strategy.go). Throws StatusError 400. */
export function containerOf(pod: Pod, asked: string | null): string {
  const names = pod.spec.containers.map((c) => c.name);
  const init = (pod.spec.initContainers ?? []).map((c) => c.name);
  const ephemeral = (pod.spec.ephemeralContainers ?? []).map((c) => c.name);
  const { name } = pod.metadata;
  if (asked) {
    if ([...names, ...init, ...ephemeral].includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${name}`);
  }
  if (names.length === 1 && init.length + ephemeral.length === 0) return names[0]!;
  if (names.length === 0) throw badRequest(`a container name must be specified for pod ${name}`);
  if (names.length === 1) return names[0]!;
  const more = init.length > 0 ? ` or one of the init containers: [${init.join(' ')}]` : '';
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${names.join(' ')}]${more}`);
}

/** The node a pod runs on. Throws StatusError 400 when it has none yet. */
export function nodeOf(pod: Pod): string {
  if (pod.spec.nodeName) return pod.spec.nodeName;
  throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
}
