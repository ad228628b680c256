import type { Container, Pod } from '../generated/types.ts';
import { type Amounts, addAmounts, amountsOf, raiseAmounts } from './amounts.ts';

/** Resources a whole pod may ask for in its own right. */
const podLevelResources = new Set(['cpu', 'memory']);

/**
 * What a pod asks for (`requests`) or may use at most (`limits`): its containers and side-cars together, or the largest step of its
 * initialization if that is more. Exact; without the overhead of its runtime class.
 */
export function podResources(pod: Pod, which: 'requests' | 'limits'): Amounts {
  const { spec } = pod;
  const of = (container: Container): Amounts => amountsOf(container.resources?.[which]);
  const total: Amounts = new Map();
  for (const container of spec?.containers ?? []) addAmounts(total, of(container));
  const sidecars: Amounts = new Map();
  const peak: Amounts = new Map();
  for (const container of spec?.initContainers ?? []) {
    if (container.restartPolicy === 'Always') {
      addAmounts(total, of(container));
      raiseAmounts(peak, addAmounts(sidecars, of(container)));
    } else {
      raiseAmounts(peak, addAmounts(of(container), sidecars));
    }
  }
  raiseAmounts(total, peak);
  for (const [name, quantity] of amountsOf(spec?.resources?.[which])) if (podLevelResources.has(name)) total.set(name, quantity);
  return total;
}
