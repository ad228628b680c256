import * as v8 from 'node:v8';

/**
 * Lets V8 optimize what runs most. The executable starts without, because the code of a burst, as at the start of an agent, takes more memory than
 * it saves time. A server answers the same few kinds of requests over and over, and so does that in a third of the time. This is V8's quick
 * optimizer, which has paid for itself after some hundred calls.
 */
export function optimizeHotCode(): void {
  v8.setFlagsFromString('--maglev');
  // Or what it compiles could never be optimized further.
  v8.setFlagsFromString('--force-emit-interrupt-budget-checks');
}

/** V8's thorough optimizer: saves a sixth of the CPU of a load that goes on, and doubles that of the first thousand requests. */
export function optimizeThoroughly(): void {
  v8.setFlagsFromString('--turbofan');
}
