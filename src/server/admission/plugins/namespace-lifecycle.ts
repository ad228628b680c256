import { Namespace } from '../../../api/kinds/core/namespace.ts';
import { forbidden, notFound } from '../../../api/status-error.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts';
import { isAbout } from '../concern.ts';
import type { AdmissionDeps } from '../deps.ts';

const immortal = new Set(['default', 'kube-system', 'kube-public']);

/** Nothing is created in a namespace that is not there or is being deleted; some namespaces are never deleted. */
export function namespaceLifecycle({ reader }: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    admit(request) {
      const { operation, namespace, name } = request;
      if (isAbout(request, Namespace)) {
        if (operation === 'DELETE' && immortal.has(name)) throw forbidden(Namespace, name, 'this namespace may not be deleted');
        return;
      }
      if (!namespace || operation === 'DELETE' || isAccessReview(request)) return;
      const object = reader.get(Namespace, { name: namespace });
      if (!object) throw notFound(Namespace, namespace);
      const isTerminating = object.status?.phase === 'Terminating' || object.metadata.deletionTimestamp !== undefined;
      if (operation === 'CREATE' && isTerminating) throw terminating(request, namespace);
    },
  };
}

const isAccessReview = ({ kind }: AdmissionRequest): boolean =>
  kind.group === 'authorization.k8s.io' && kind.plural === 'localsubjectaccessreviews';

function terminating(request: AdmissionRequest, namespace: string) {
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const message = `namespace ${namespace} is being terminated`;
  const name = request.name || request.object?.metadata.name || request.object?.metadata.generateName || '';
  return forbidden(request.kind, name, why, [{ reason: 'NamespaceTerminating', message, field: 'metadata.namespace' }]);
}
