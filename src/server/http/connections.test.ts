import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { beforeEach, describe, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { Connections } from './connections.ts';
import { memoryOf, UnsentAnswers } from './unsent-answers.ts';

class FakeSocket extends EventEmitter {
  readonly remoteAddress = '10.0.0.1';
  readonly localAddress = '10.0.0.2';
  readonly remotePort: number;
  destroyed = false;
  constructor(remotePort: number) {
    super();
    this.remotePort = remotePort;
  }
  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

describe('connections of strangers', () => {
  let nowMs = 0;
  let connections: Connections;
  const open = (count: number, firstPort = 1): FakeSocket[] =>
    Array.from({ length: count }, (_, n) => {
      const socket = new FakeSocket(firstPort + n);
      connections.add(socket as unknown as Socket);
      return socket;
    });
  const trust = (socket: FakeSocket): void => connections.trust(new FakeSocket(socket.remotePort) as unknown as TLSSocket);

  beforeEach(() => {
    nowMs = 0;
    connections = new Connections(() => nowMs);
  });

  test('are 512 at most: a burst refuses newcomers, later the oldest makes room', () => {
    const first = open(512);
    const [late] = open(1, 1000);
    assert.ok(late!.destroyed && !first.some((socket) => socket.destroyed));
    nowMs = 3_000;
    const [later] = open(1, 2000);
    assert.ok(!later!.destroyed && first[0]!.destroyed && !first[1]!.destroyed);
  });

  test('do not count when somebody known is on them, or when they are closed', () => {
    const first = open(512);
    trust(first[0]!);
    trust(first[0]!);
    first[1]!.destroy();
    const next = open(2, 1000);
    assert.ok(!next.some((socket) => socket.destroyed));
    nowMs = 3_000;
    open(1, 2000);
    assert.deepEqual([first[0]!.destroyed, first[2]!.destroyed], [false, true]);
  });
});

describe('answers that are not taken', () => {
  const mib = 1024 * 1024;

  test('end the connection that holds most when all hold too much', () => {
    const unsent = new UnsentAnswers();
    const [greedy, modest] = [new FakeSocket(1), new FakeSocket(2)];
    const add = (socket: FakeSocket, bytes: number) => unsent.add(socket as unknown as TLSSocket, bytes);
    const taken = Array.from({ length: 10 }, () => add(greedy, 2 * mib));
    for (let n = 0; n < 6; n++) add(modest, 2 * mib);
    assert.ok(!greedy.destroyed && !modest.destroyed, '32 MiB are allowed');
    taken[0]!();
    taken[0]!();
    add(modest, 2 * mib);
    assert.ok(!greedy.destroyed && !modest.destroyed, 'what was taken counts no more');
    add(modest, mib);
    assert.ok(greedy.destroyed && !modest.destroyed);
  });

  test('cost memory however small they are', () => {
    const socket = new FakeSocket(1);
    const unsent = new UnsentAnswers();
    const empty = memoryOf({ status: 200, headers: {}, parts: [] });
    for (let n = 0; n < 32 * mib && !socket.destroyed; n += empty) unsent.add(socket as unknown as TLSSocket, empty);
    assert.ok(!socket.destroyed);
    unsent.add(socket as unknown as TLSSocket, empty);
    assert.ok(socket.destroyed);
    assert.ok(empty > 6_000, 'what an open stream of HTTP/2 was measured to take');
  });
});
