import { Ingress } from '../../../api/kinds/networking/ingress.ts';
import { IngressClass } from '../../../api/kinds/networking/ingress-class.ts';
import type { AdmissionPlugin } from '../admission.ts';
import { objectOf } from '../concern.ts';
import type { AdmissionDeps } from '../deps.ts';
import { newestDefault } from '../newest-default.ts';

const classAnnotation = 'kubernetes.io/ingress.class';

/** An Ingress that names no class gets the default one. */
export function defaultIngressClass({ reader }: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    admit(request) {
      const ingress = objectOf(request, Ingress, ['CREATE']);
      if (!ingress?.spec || ingress.spec.ingressClassName !== undefined) return;
      if (ingress.metadata.annotations?.[classAnnotation] !== undefined) return;
      const found = newestDefault(reader.list(IngressClass), ['ingressclass.kubernetes.io/is-default-class']);
      if (found) ingress.spec.ingressClassName = found.metadata.name;
    },
  };
}
