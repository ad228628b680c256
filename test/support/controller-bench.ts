import { createEventRecorder, type EventRecorder } from '../../src/client/event-recorder.ts';
import { FakeClient } from '../../src/client/fake-client.ts';
import { InformerFactory } from '../../src/client/informer-factory.ts';
import { FakeClock } from '../../src/lib/clock.ts';
import type { Component } from '../../src/lib/component.ts';
import { type Logger, silentLogger } from '../../src/lib/log.ts';
import { type ControllerDefinition, createController } from '../../src/reconcile/controller.ts';
import { settle } from './settle.ts';

export interface Bench {
  readonly fake: FakeClient;
  readonly clock: FakeClock;
  readonly informers: InformerFactory;
  readonly events: EventRecorder;
  readonly log: Logger;
  /** Runs until nothing changes any more, without time passing. */
  settle(): Promise<void>;
  /** Lets time pass, then settles. */
  advance(ms: number): Promise<void>;
  start(component: Component): Promise<void>;
  stop(): Promise<void>;
}

/** A fake API with informers and a clock that stands still; the components of a test run on it. */
export function createBench(): Bench {
  const clock = new FakeClock();
  const fake = new FakeClient(clock);
  const log = silentLogger;
  const informers = new InformerFactory({ client: fake, clock, log });
  const events = createEventRecorder({ client: fake, clock, log, component: 'test' });
  const started: Component[] = [];
  const rest = (): Promise<void> => settle(() => fake.writes.length);
  return {
    fake,
    clock,
    informers,
    events,
    log,
    settle: rest,
    async advance(ms) {
      clock.advance(ms);
      await rest();
    },
    async start(component) {
      await component.start();
      started.push(component);
      await rest();
    },
    async stop() {
      for (const component of started.reverse()) await component.stop();
      informers.stop();
    },
  };
}

/** Runs controllers on a bench; the test prepares the world before and looks at it afterwards. */
export async function withControllers(
  definitions: readonly ControllerDefinition[],
  test: (bench: Bench) => Promise<void>,
): Promise<void> {
  const bench = createBench();
  const { fake, informers, events, clock, log } = bench;
  try {
    for (const definition of definitions) {
      await bench.start(createController(definition, { client: fake, informers, events, clock, log }));
    }
    await test(bench);
  } finally {
    await bench.stop();
  }
}
