import { Node } from '../../../api/kinds/core/node.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import type { KubeObject } from '../../../api/meta.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts';
import { isAbout } from '../concern.ts';
import type { AdmissionDeps } from '../deps.ts';

const copied = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];

interface Binding extends KubeObject {
  readonly target?: { readonly kind?: string; readonly name?: string };
}

/** A pod learns zone and region of its node when it is bound to it. */
export function podTopologyLabels({ reader }: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'PodTopologyLabels',
    admit(request) {
      if (request.operation !== 'CREATE' || !isAbout(request, Pod) || !request.object) return;
      const name = nodeName(request);
      const labels = name ? reader.get(Node, { name })?.metadata.labels : undefined;
      const present = copied.filter((key) => labels?.[key] !== undefined);
      if (present.length === 0) return;
      const own = request.object.metadata.labels;
      request.object.metadata.labels = { ...own, ...Object.fromEntries(present.map((key) => [key, labels![key]!])) };
    },
  };
}

function nodeName({ subresource, object }: AdmissionRequest): string | undefined {
  if (subresource === '') return (object as unknown as Pod).spec?.nodeName;
  const target = subresource === 'binding' ? (object as unknown as Binding).target : undefined;
  return target?.kind === 'Node' ? target.name : undefined;
}
