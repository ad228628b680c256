import type { Container, Secret } from '../../api/generated/types.ts';
import type { Clock } from '../../lib/clock.ts';
import { type Image, ImageError, type RegistryAuth, type Runtime } from '../../runtime/runtime.ts';
import { StartError } from '../start-error.ts';
import { defaultPullPolicy, isValidImageName } from './image-name.ts';
import { credentialsFor } from './pull-secrets.ts';

const initialBackoffMs = 10_000;
const maxBackoffMs = 300_000;
/** Pulls at a time: more only compete for one network and one SD card. */
const maxParallelPulls = 2;
/** Images whose failures are remembered. */
const rememberedFailures = 1_000;

export type ImageEvent = (type: 'Normal' | 'Warning', reason: string, message: string) => void;

/** So long a failed pull is shown as such; then, until the next try, as ImagePullBackOff. */
const errorShownMs = 2_000;

interface Failure {
  delayMs: number;
  untilMs: number;
  updatedAtMs: number;
  readonly message: string;
}

/** Makes images available by their pull policy, with back-off after failures. */
export class ImagePuller {
  readonly #runtime: Runtime;
  readonly #clock: Clock;
  readonly #failures = new Map<string, Failure>();
  readonly #waiting: (() => void)[] = [];
  #pulling = 0;

  constructor(deps: { runtime: Runtime; clock: Clock }) {
    this.#runtime = deps.runtime;
    this.#clock = deps.clock;
  }

  /** Resolves with the image; rejects with a StartError. `event` tells people what happens, in upstream's words. */
  async ensure(
    container: Container,
    context: { podUid: string; secrets: () => Promise<readonly Secret[]>; event: ImageEvent },
  ): Promise<Image> {
    const image = container.image ?? '';
    const { event } = context;
    if (!isValidImageName(image)) {
      const message = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": invalid reference format`;
      event('Warning', 'InspectFailed', message);
      throw new StartError('InvalidImageName', message, this.#clock.now() + maxBackoffMs);
    }
    const policy = container.imagePullPolicy ?? defaultPullPolicy(image);
    if (policy !== 'Always') {
      const present = await this.#inspect(image, event);
      if (present) {
        event('Normal', 'Pulled', `Container image "${image}" already present on machine and can be accessed by the pod`);
        return present;
      }
      if (policy === 'Never') {
        const message = `Container image "${image}" is not present with pull policy of Never`;
        event('Warning', 'ErrImageNeverPull', message);
        throw new StartError('ErrImageNeverPull', message, this.#clock.now() + maxBackoffMs);
      }
    }
    return this.#pull(image, context);
  }

  async #inspect(image: string, event: ImageEvent): Promise<Image | undefined> {
    try {
      return await this.#runtime.imageStatus(image);
    } catch (error) {
      const message = `Failed to inspect image "${image}": ${text(error)}`;
      event('Warning', 'InspectFailed', message);
      throw new StartError('ImageInspectError', message, this.#clock.now() + initialBackoffMs);
    }
  }

  async #pull(
    image: string,
    context: { podUid: string; secrets: () => Promise<readonly Secret[]>; event: ImageEvent },
  ): Promise<Image> {
    const key = `${context.podUid}_${image}`;
    const failure = this.#failures.get(key);
    if (failure && this.#clock.now() < failure.untilMs) {
      const message = `Back-off pulling image "${image}"`;
      context.event('Normal', 'BackOff', message);
      throw new StartError('ImagePullBackOff', `${message}: ${failure.message}`, failure.untilMs);
    }
    context.event('Normal', 'Pulling', `Pulling image "${image}"`);
    const waitsFrom = this.#clock.monotonicMs();
    await this.#turn();
    const startedAt = this.#clock.monotonicMs();
    try {
      const found = await this.#pullWithCredentials(image, credentialsFor(image, await context.secrets()));
      const now = this.#clock.monotonicMs();
      const took = `${seconds(now - startedAt)} (${seconds(now - waitsFrom)} including waiting)`;
      context.event('Normal', 'Pulled', `Successfully pulled image "${image}" in ${took}. Image size: ${found.sizeBytes} bytes.`);
      this.#failures.delete(key);
      return found;
    } catch (error) {
      throw this.#failed(key, image, { error, event: context.event });
    } finally {
      this.#pulling--;
      this.#waiting.shift()?.();
    }
  }

  async #turn(): Promise<void> {
    while (this.#pulling >= maxParallelPulls) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#pulling++;
  }

  async #pullWithCredentials(image: string, credentials: readonly RegistryAuth[]): Promise<Image> {
    let last: unknown;
    for (const auth of credentials.length > 0 ? credentials : [undefined]) {
      try {
        const reference = await this.#runtime.pullImage(image, auth);
        const found = (await this.#runtime.imageStatus(reference)) ?? (await this.#runtime.imageStatus(image));
        if (!found) throw new ImageError('ErrImagePull', `the image ${image} was pulled but the runtime does not show it`);
        return found;
      } catch (error) {
        last = error;
      }
    }
    throw last;
  }

  #failed(key: string, image: string, { error, event }: { error: unknown; event: ImageEvent }): StartError {
    const now = this.#clock.now();
    const before = this.#failures.get(key);
    const fresh = !before || now - before.updatedAtMs > 2 * maxBackoffMs;
    const delayMs = fresh ? initialBackoffMs : Math.min(before.delayMs * 2, maxBackoffMs);
    this.#failures.delete(key);
    this.#failures.set(key, { delayMs, untilMs: now + delayMs, updatedAtMs: now, message: `ErrImagePull: ${text(error)}` });
    if (this.#failures.size > rememberedFailures) this.#failures.delete(this.#failures.keys().next().value!);
    event('Warning', 'Failed', `Failed to pull image "${image}": ${text(error)}`);
    return new StartError(
      error instanceof ImageError ? error.reason : 'ErrImagePull',
      text(error),
      now + Math.min(delayMs, errorShownMs),
    );
  }
}

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const seconds = (ms: number): string =>
  ms < 1000 ? `${Math.round(ms)}ms` : `${(ms / 1000).toFixed(3).replace(/0+$/, '').replace(/\.$/, '')}s`;
