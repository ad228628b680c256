import type { Nft } from './nft.ts';

/** Remembers the scripts; `fail` makes the next one be refused. */
export class FakeNft implements Nft {
  readonly scripts: string[] = [];
  #failure: Error | undefined;

  fail(error: Error): void {
    this.#failure = error;
  }

  apply(script: string): Promise<void> {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure) return Promise.reject(failure);
    this.scripts.push(script);
    return Promise.resolve();
  }
}
