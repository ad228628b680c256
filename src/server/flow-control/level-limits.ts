import type * as t from '../../api/generated/types.ts';
import type { QueueLimits } from './fair-queue.ts';
import type { SeatLimits } from './seats.ts';

/** Requests worked on at a time, of all levels together (apiserver: pkg/server/config.go, MaxRequestsInFlight and MaxMutatingRequestsInFlight). */
const serverSeats = 600;
/** Requests that may wait in one level, whatever it says: each of them costs 20 KB, most of that for its HTTP/2 stream. */
const maxWaitingOfLevel = 500;

/** The parts of the server that belong to each level, by their shares (apiserver: pkg/util/flowcontrol/apf_controller.go). */
export function seatLimits(specs: readonly t.PriorityLevelConfigurationSpec[]): SeatLimits[] {
  const shares = specs.map(({ limited, exempt }) => limited?.nominalConcurrencyShares ?? exempt?.nominalConcurrencyShares ?? 0);
  const allShares = shares.reduce((sum, share) => sum + share, 0);
  return specs.map(({ limited, exempt }, i) => {
    const nominal = allShares > 0 ? Math.ceil((serverSeats * shares[i]!) / allShares) : 0;
    const percentOf = (percent: number): number => Math.round((nominal * percent) / 100);
    const lendable = percentOf(limited?.lendablePercent ?? exempt?.lendablePercent ?? 0);
    const borrowable = limited?.borrowingLimitPercent === undefined ? serverSeats : percentOf(limited.borrowingLimitPercent);
    return { nominal, lower: nominal - lendable, upper: nominal + borrowable };
  });
}

/** Of a level that is gone: its last requests take what others leave. */
export const onlyBorrowing: SeatLimits = { nominal: 0, lower: 0, upper: serverSeats };

/** Undefined: whoever finds no seat is turned away. One flow may wait where upstream deals it a hand of queues. */
export function queueLimits({ limited }: t.PriorityLevelConfigurationSpec): QueueLimits | undefined {
  const queuing = limited?.limitResponse?.queuing;
  if (!queuing) return undefined;
  const { queues = 1, handSize = 1, queueLengthLimit = 1 } = queuing;
  const all = Math.min(queues * queueLengthLimit, maxWaitingOfLevel);
  return { perFlow: Math.min(handSize * queueLengthLimit, all), all };
}
