import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { beforeEach, describe, test } from 'node:test';
import { isStatus, type StatusError } from '../../api/status-error.ts';
import { FakeClock } from '../../lib/clock.ts';
import { RequestBodies } from './request-bodies.ts';

const limitBytes = 3 * 1024 * 1024;

interface Sent {
  readonly stream: PassThrough;
  readonly outcome: Promise<Uint8Array | StatusError>;
  release(): void;
}

describe('bodies of requests', () => {
  let clock: FakeClock;
  let bodies: RequestBodies;
  beforeEach(() => {
    clock = new FakeClock();
    bodies = new RequestBodies(clock);
  });

  function send(declaredBytes?: number): Sent {
    const stream = new PassThrough();
    let release = (): void => {};
    const read = bodies.read(stream, {
      limitBytes,
      ...(declaredBytes === undefined ? {} : { declaredBytes }),
      onRelease(give) {
        release = give;
      },
    });
    const outcome = read.catch((error: StatusError) => error);
    return { stream, outcome, release: () => release() };
  }
  const isRead = async ({ outcome }: Sent): Promise<boolean> => {
    let read = false;
    void outcome.then(() => {
      read = true;
    });
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    return read;
  };
  const large = (): Sent => {
    const sent = send(limitBytes);
    sent.stream.end(Buffer.alloc(limitBytes));
    return sent;
  };

  test('only some large ones are held at a time, in the order they came', async () => {
    const first = Array.from({ length: 5 }, large);
    for (const sent of first) assert.ok(await isRead(sent));
    const [sixth, seventh] = [large(), large()];
    assert.ok(!(await isRead(sixth)) && !(await isRead(seventh)));
    const small = send(20);
    small.stream.end('{}'.padEnd(20));
    assert.ok(await isRead(small), 'a small one needs no room');
    first[0]!.release();
    assert.ok((await isRead(sixth)) && !(await isRead(seventh)));
    sixth.release();
    assert.ok(await isRead(seventh));
  });

  test('one that gives up leaves the queue, one whose size is not known waits when it grows', async () => {
    const first = Array.from({ length: 5 }, large);
    for (const sent of first) assert.ok(await isRead(sent));
    const impatient = large();
    const growing = send();
    growing.stream.write(Buffer.alloc(70_000));
    await new Promise(setImmediate);
    growing.stream.end(Buffer.alloc(50_000));
    assert.ok(!(await isRead(growing)));
    impatient.release();
    assert.ok(isStatus(await impatient.outcome, 'BadRequest'));
    first[0]!.release();
    assert.ok(await isRead(growing));
    assert.equal(((await growing.outcome) as Uint8Array).length, 120_000);
  });

  test('too large is said at once, or as soon as it is seen', async () => {
    assert.ok(isStatus(await send(limitBytes + 1).outcome, 'RequestEntityTooLarge'));
    const liar = send();
    liar.stream.write(Buffer.alloc(limitBytes + 1));
    assert.ok(isStatus(await liar.outcome, 'RequestEntityTooLarge'));
  });

  test('what stops coming is given up, what comes slowly is not', async () => {
    const slow = send(1000);
    for (let n = 0; n < 10; n++) {
      slow.stream.write(Buffer.alloc(100));
      await new Promise(setImmediate);
      clock.advance(9_000);
    }
    slow.stream.end();
    assert.equal(((await slow.outcome) as Uint8Array).length, 1000);
    const stalled = send(1000);
    stalled.stream.write(Buffer.alloc(100));
    await new Promise(setImmediate);
    clock.advance(20_000);
    const error = (await stalled.outcome) as StatusError;
    assert.deepEqual([error.code, error.reason], [408, 'Timeout']);
    assert.equal(clock.pending, 0);
  });

  test('what broke off before it was read is a bad request at once', async () => {
    const gone = new PassThrough().on('error', () => {});
    gone.destroy(new Error('reset'));
    await new Promise(setImmediate);
    const read = bodies.read(gone, { limitBytes, declaredBytes: 1000, onRelease() {} });
    await assert.rejects(read, (error) => isStatus(error, 'BadRequest'));
  });

  test('what breaks off is a bad request', async () => {
    const broken = send(1000);
    broken.stream.destroy(new Error('reset'));
    assert.ok(isStatus(await broken.outcome, 'BadRequest'));
  });
});
