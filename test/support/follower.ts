import assert from 'node:assert/strict';
import { request } from 'node:https';
import { eventually } from './eventually.ts';
import type { ServerProcess } from './server-process.ts';

const catchUpMs = 30_000;
/** A watch that is sent nothing ends soon. */
const watchSeconds = 5;

interface Seen {
  readonly metadata: { readonly uid: string; readonly resourceVersion: string };
}

interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: Seen & { readonly code?: number };
}

/** A client that lists once and then keeps its copy by watching, also over restarts of the server; it lists again only when it is told to. */
export class Follower {
  events = 0;
  relists = 0;
  /** The version of the last event, or of the list. */
  revision = 0;
  readonly #server: ServerProcess;
  readonly #path: string;
  #known: Map<string, string> | undefined;

  constructor(server: ServerProcess, path: string) {
    this.#server = server;
    this.#path = path;
  }

  /** Resolves when the watch has ended, or `isDone`. */
  async follow(isDone: () => boolean = () => false): Promise<void> {
    for (;;) {
      try {
        if (!this.#known) await this.#list();
        if (await this.#watch(isDone)) return;
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        return;
      }
    }
  }

  /** Goes on until the copy is what a list has. */
  async catchUp(): Promise<void> {
    const isCaughtUp = async (): Promise<boolean> => {
      const { items } = await this.#listed();
      if (!this.#equals(items)) await this.follow(() => this.#equals(items));
      return this.#equals(items);
    };
    await eventually(`the copy of ${this.#path} is what a list has`, isCaughtUp, catchUpMs);
  }

  #equals(items: readonly Seen[]): boolean {
    return (
      items.length === this.#known?.size &&
      items.every(({ metadata }) => this.#known!.get(metadata.uid) === metadata.resourceVersion)
    );
  }

  async #listed(): Promise<{ items: Seen[]; revision: number }> {
    const { items, metadata } = JSON.parse((await this.#server.call('GET', this.#path)).body);
    return { items, revision: Number(metadata.resourceVersion) };
  }

  async #list(): Promise<void> {
    const { items, revision } = await this.#listed();
    assert.ok(revision >= this.revision, `a list at ${revision} after an event at ${this.revision}`);
    this.#known = new Map(items.map(({ metadata }) => [metadata.uid, metadata.resourceVersion]));
    this.revision = revision;
  }

  /** True when it is over; false when there is to be another list. */
  #watch(isDone: () => boolean): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const path = `${this.#path}?watch=1&allowWatchBookmarks=true&resourceVersion=${this.revision}&timeoutSeconds=${watchSeconds}`;
      const call = request({ ...this.#server.credentials, host: '127.0.0.1', port: this.#server.port, path }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => {
          const lines = (text + chunk).split('\n');
          text = lines.pop()!;
          try {
            const isGone = lines.some((line) => this.#take(JSON.parse(line)));
            if (!isGone && !isDone()) return;
            resolve(!isGone);
          } catch (error) {
            reject(error);
          }
          call.destroy();
        });
        answer.on('close', () => resolve(true)).on('error', () => resolve(true));
      });
      call.on('error', reject).end();
    });
  }

  /** True when the client must list again. */
  #take({ type, object }: WatchEvent): boolean {
    if (type === 'ERROR') {
      assert.equal(object.code, 410);
      this.#known = undefined;
      this.relists++;
      return true;
    }
    const { uid, resourceVersion } = object.metadata;
    assert.ok(
      type === 'BOOKMARK' ? Number(resourceVersion) >= this.revision : Number(resourceVersion) > this.revision,
      `${type} ${resourceVersion} after ${this.revision}`,
    );
    this.revision = Number(resourceVersion);
    if (type === 'BOOKMARK') return false;
    this.events++;
    if (type === 'DELETED') assert.ok(this.#known!.delete(uid), `${uid} was not there`);
    else {
      assert.equal(this.#known!.has(uid), type === 'MODIFIED', `${type} ${uid}`);
      this.#known!.set(uid, resourceVersion);
    }
    return false;
  }
}
