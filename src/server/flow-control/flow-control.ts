import type * as t from '../../api/generated/types.ts';
import { FlowSchema } from '../../api/kinds/flowcontrol/flow-schema.ts';
import { PriorityLevelConfiguration } from '../../api/kinds/flowcontrol/priority-level-configuration.ts';
import type { Clock } from '../../lib/clock.ts';
import type { MetricRegistry } from '../../lib/metrics.ts';
import type { UserInfo } from '../auth/user.ts';
import type { RequestInfo } from '../http/request-info.ts';
import type { Reader } from '../registry/reader.ts';
import { type Entry, readLevels, readSchemas } from './configuration.ts';
import type { QueueLimits } from './fair-queue.ts';
import { FlowControlMetrics, type FlowUse, type Rejection } from './flow-control-metrics.ts';
import { onlyBorrowing, queueLimits, seatLimits } from './level-limits.ts';
import { compileRules, type Matches } from './rules.ts';
import { PriorityLevel, Seats, type Waiting } from './seats.ts';

/** A flow schema that is in use, with the priority level it leads to. */
export interface Flow {
  readonly schemaUid: string;
  readonly levelUid: string;
  readonly matches: Matches;
  /** Tells the flows of the schema apart that take turns. */
  readonly distinguish: (user: UserInfo, info: RequestInfo) => string;
  readonly level: PriorityLevel;
  readonly use: FlowUse;
}

/** A request that asks for a seat. */
export interface Applicant {
  readonly user: UserInfo;
  readonly info: RequestInfo;
  /** Called once when the client is gone or has its answer. */
  onClose(listener: () => void): void;
}

interface Waiter extends Waiting {
  turnAway(reason: Rejection): void;
}

/**
 * Priority and fairness: which flow schema a request belongs to, and when its priority level has a seat for it. Upstream's
 * pkg/util/flowcontrol says what must happen; docs/adr/0008 what is simpler here.
 */
export class FlowControl {
  readonly #reader: Reader;
  readonly #clock: Clock;
  readonly #metrics: FlowControlMetrics;
  readonly #seats = new Seats();
  #levels = new Map<string, PriorityLevel>();
  #uses = new Map<string, FlowUse>();
  #flows: readonly Flow[] = [];
  /** For users who are in no group at all. */
  #catchAll: Flow | undefined;
  /** True until the objects are read again. */
  #changed = true;

  constructor({ reader, clock, metrics }: { reader: Reader; clock: Clock; metrics: MetricRegistry }) {
    this.#reader = reader;
    this.#clock = clock;
    const change = (): void => {
      this.#changed = true;
    };
    reader.onChange(FlowSchema, change);
    reader.onChange(PriorityLevelConfiguration, change);
    this.#metrics = new FlowControlMetrics(metrics, {
      uses: () => this.#uses.values(),
      levels: () => {
        if (this.#changed) this.#configure();
        return this.#levels.values();
      },
    });
  }

  /** The flow schema of a request: the first that matches. */
  classify(user: UserInfo, info: RequestInfo): Flow {
    if (this.#changed) this.#configure();
    for (const flow of this.#flows) if (flow.matches(user, info)) return flow;
    return this.#catchAll!;
  }

  /** True: the request has a seat, which it must give back with `leave`. */
  enter({ level, use }: Flow): boolean {
    use.series ??= this.#metrics.seriesOf(use, !level.exempt);
    if (!this.#seats.take(level)) return false;
    this.#begin(use, 0);
    return true;
  }

  /** Waits for a seat, if the level has people wait, as long as the client does. False: the request is turned away. */
  async wait(flow: Flow, applicant: Applicant, maxWaitMs: number): Promise<boolean> {
    if (flow.level.queue) return this.#wait(flow, flow.level.queue, applicant, maxWaitMs);
    this.#turnAway(flow, 'concurrency-limit', 0);
    return false;
  }

  /** Gives the seat back. */
  leave({ level, use }: Flow): void {
    use.executing--;
    this.#seats.free(level);
  }

  #begin(use: FlowUse, waitedSeconds: number): void {
    use.executing++;
    use.series!.dispatched.value++;
    use.series!.waited?.(waitedSeconds);
  }

  #turnAway({ level, use }: Flow, reason: Rejection, waitedSeconds: number): void {
    level.retryAfter.note(this.#clock.monotonicMs() / 1000);
    this.#metrics.rejected(use, reason, waitedSeconds);
  }

  #wait(flow: Flow, limits: QueueLimits, applicant: Applicant, maxWaitMs: number): Promise<boolean> {
    const { level, use } = flow;
    const since = this.#clock.monotonicMs();
    const waitedSeconds = (): number => (this.#clock.monotonicMs() - since) / 1000;
    return new Promise((resolve) => {
      const waiter: Waiter = {
        level,
        flow: `${use.schema}\0${flow.distinguish(applicant.user, applicant.info)}`,
        begin: () => {
          cancel();
          use.waiting--;
          this.#begin(use, waitedSeconds());
          resolve(true);
        },
        turnAway: (reason) => {
          cancel();
          use.waiting--;
          this.#turnAway(flow, reason, waitedSeconds());
          resolve(false);
        },
      };
      const giveUp = (): void => {
        if (this.#seats.giveUp(waiter)) waiter.turnAway('time-out');
      };
      const cancel = this.#clock.after(maxWaitMs, giveUp);
      use.waiting++;
      (this.#seats.wait(waiter, limits) as Waiter | undefined)?.turnAway('queue-full');
      applicant.onClose(giveUp);
    });
  }

  /** Reads the objects. What is in use goes on where it is; what is gone and still busy lasts until nobody has a seat in it. */
  #configure(): void {
    this.#changed = false;
    const entries = readLevels(this.#reader);
    this.#levels = this.#configuredLevels(entries);
    this.#flows = readSchemas(this.#reader).flatMap((schema) => this.#flow(schema, entries) ?? []);
    this.#catchAll = this.#flows.find(({ use }) => use.schema === 'catch-all')!;
    const uses = [...this.#uses].filter(([, { executing, waiting }]) => executing + waiting > 0);
    this.#uses = new Map([...uses, ...this.#flows.map(({ use }) => [keyOf(use), use] as const)]);
    this.#seats.configure([...this.#levels.values()]);
  }

  #configuredLevels(entries: Levels): Map<string, PriorityLevel> {
    const specs = Array.from(entries.values(), ({ spec }) => spec);
    const limits = seatLimits(specs);
    const levels = Array.from(entries.keys(), (name, i) => {
      const level = this.#levels.get(name) ?? new PriorityLevel(name);
      level.limits = limits[i]!;
      level.queue = queueLimits(specs[i]!);
      level.exempt = specs[i]!.type === 'Exempt';
      return level;
    });
    const gone = [...this.#levels.values()].filter((level) => !entries.has(level.name) && !level.isIdle);
    for (const level of gone) level.limits = onlyBorrowing;
    return new Map([...levels, ...gone].map((level) => [level.name, level]));
  }

  /** Undefined: there is no such priority level. */
  #flow({ name, uid, spec }: Entry<t.FlowSchemaSpec>, levels: Levels): Flow | undefined {
    const level = levels.get(spec.priorityLevelConfiguration.name);
    if (!level) return undefined;
    const use: FlowUse = { schema: name, level: level.name, executing: 0, waiting: 0, series: undefined };
    return {
      schemaUid: uid,
      levelUid: level.uid,
      matches: compileRules(spec.rules),
      distinguish: distinguisher(spec, level.spec),
      level: this.#levels.get(level.name)!,
      use: this.#uses.get(keyOf(use)) ?? use,
    };
  }
}

type Levels = ReadonlyMap<string, Entry<t.PriorityLevelConfigurationSpec>>;

const keyOf = ({ level, schema }: FlowUse): string => `${level}/${schema}`;

/** Flows of a level with one queue are not told apart. */
function distinguisher(schema: t.FlowSchemaSpec, { limited }: t.PriorityLevelConfigurationSpec): Flow['distinguish'] {
  const by = (limited?.limitResponse?.queuing?.queues ?? 0) > 1 ? schema.distinguisherMethod?.type : undefined;
  if (by === 'ByUser') return ({ name }) => name;
  return by === 'ByNamespace' ? (_, { namespace }) => namespace : () => '';
}
