import { Backoff } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Any } from '../generated/containerd.ts';
import type { RuntimeEvent } from '../runtime.ts';
import { type ContainerdClient, type ContainerdCodec, callTimeoutMs, criNamespace } from './clients.ts';

/** containerd does not say when a subscription is live; we publish this and wait until it comes back. */
const probeTopic = '/skiff/subscribed';
const probeRetryMs = 20;
const reconnectBackoff = { initialMs: 100, maxMs: 10_000, jitter: 0.2 };

/** Exits of exec processes are left out at the source: only a container's own process has its 64-digit id. */
const filters = [
  'topic=="/tasks/start"',
  'topic=="/tasks/exit",event.id~="^[0-9a-f]{64}$"',
  'topic=="/tasks/oom"',
  'topic=="/containers/create"',
  'topic=="/containers/delete"',
  `topic=="${probeTopic}"`,
].map((filter) => `namespace=="${criNamespace}",${filter}`);

export interface EventHandlers {
  onEvent(event: RuntimeEvent): void;
  onGap(): void;
}

/**
 * containerd's own event stream (all versions have it), subscribed again with back-off whenever it ends. After each subscription has
 * become live `onGap` is called once: what happened before has to be listed.
 */
export class EventStream {
  readonly #client: ContainerdClient;
  readonly #codec: ContainerdCodec;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #handlers: EventHandlers;
  readonly #backoff = new Backoff(reconnectBackoff);
  #cancelStream: () => void = () => {};
  #cancelTimer: () => void = () => {};
  #live = false;
  #closed = false;

  constructor(deps: {
    readonly client: ContainerdClient;
    readonly codec: ContainerdCodec;
    readonly clock: Clock;
    readonly log: Logger;
    readonly handlers: EventHandlers;
  }) {
    this.#client = deps.client;
    this.#codec = deps.codec;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#handlers = deps.handlers;
    this.#subscribe();
  }

  close(): void {
    this.#closed = true;
    this.#cancelStream();
    this.#cancelTimer();
  }

  #subscribe(): void {
    this.#live = false;
    this.#cancelStream = this.#client.serverStream(
      'containerd.services.events.v1.Events/Subscribe',
      { filters },
      {
        onMessage: (envelope) => this.#receive(envelope.topic, envelope.event),
        onEnd: (error) => this.#ended(error?.details ?? 'the stream ended'),
      },
    );
    this.#probe();
  }

  /** The subscription may not have taken effect when the probe is published, so it is sent until it comes back. */
  #probe(): void {
    if (this.#live || this.#closed) return;
    this.#client
      .unary(
        'containerd.services.events.v1.Events/Publish',
        { topic: probeTopic, event: probeEvent },
        { timeoutMs: callTimeoutMs.read },
      )
      .then(
        () => {
          if (!this.#live && !this.#closed) this.#cancelTimer = this.#clock.after(probeRetryMs, () => this.#probe());
        },
        // The stream shares the connection: it ends too and is opened again.
        (error: unknown) => this.#log.debug('events probe failed', { error }),
      );
  }

  #receive(topic: string, event: Any | undefined): void {
    if (topic === probeTopic) this.#becomeLive();
    else if (event) {
      const translated = translateEvent(topic, event, this.#codec);
      if (translated) this.#handlers.onEvent(translated);
    }
  }

  #becomeLive(): void {
    if (this.#live) return;
    this.#live = true;
    this.#backoff.reset();
    this.#handlers.onGap();
  }

  #ended(reason: string): void {
    if (this.#closed) return;
    this.#cancelTimer();
    const delayMs = this.#backoff.next();
    if (this.#backoff.failures === 1)
      this.#log.warn('the event stream of the container runtime ended', { reason, retryMs: delayMs });
    this.#cancelTimer = this.#clock.after(delayMs, () => this.#subscribe());
  }
}

const probeEvent = { type_url: 'types.containerd.io/containerd.events.TaskStart', value: new Uint8Array() };

/** A runtime event from containerd's topic and payload; undefined for topics that mean nothing to the agent. */
export function translateEvent(topic: string, event: Any, codec: ContainerdCodec): RuntimeEvent | undefined {
  switch (topic) {
    case '/tasks/start':
      return { type: 'started', id: codec.decode('containerd.events.TaskStart', event.value).container_id };
    case '/tasks/exit': {
      const exit = codec.decode('containerd.events.TaskExit', event.value);
      return exit.id === exit.container_id ? { type: 'stopped', id: exit.id, exitCode: exit.exit_status } : undefined;
    }
    case '/tasks/oom':
      return { type: 'oom', id: codec.decode('containerd.events.TaskOOM', event.value).container_id };
    case '/containers/create':
      return { type: 'created', id: codec.decode('containerd.events.ContainerCreate', event.value).id };
    case '/containers/delete':
      return { type: 'deleted', id: codec.decode('containerd.events.ContainerDelete', event.value).id };
    default:
      return undefined;
  }
}
