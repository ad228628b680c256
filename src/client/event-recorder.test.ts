import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigMap } from '../api/kinds/core/config-map.ts';
import { Event } from '../api/kinds/core/event.ts';
import { FakeClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { createEventRecorder } from './event-recorder.ts';
import { FakeClient } from './fake-client.ts';

function setup() {
  const clock = new FakeClock();
  const fake = new FakeClient(clock);
  const recorder = createEventRecorder({ client: fake, clock, log: silentLogger, component: 'test' });
  const object = fake.seed(ConfigMap, { metadata: { namespace: 'ns', name: 'c' } });
  return { clock, fake, recorder, object };
}

describe('event recorder', () => {
  it('counts repeats in one event', async () => {
    const { clock, fake, recorder, object } = setup();
    for (let i = 0; i < 3; i++) {
      recorder.event(object, 'Warning', 'Failed', 'it broke');
      await recorder.flush();
      clock.advance(1000);
    }
    const [event, ...more] = fake.all(Event);
    assert.equal(more.length, 0);
    assert.deepEqual(
      [event?.count, event?.message, event?.involvedObject.name, event?.source?.component],
      [3, 'it broke', 'c', 'test'],
    );
    assert.notEqual(event?.firstTimestamp, event?.lastTimestamp);
  });

  it('tells again, with the count it had, after the event has expired', async () => {
    const { fake, recorder, object } = setup();
    recorder.event(object, 'Normal', 'Done', 'ok');
    await recorder.flush();
    for (const { metadata } of fake.all(Event)) await fake.delete(Event, { namespace: 'ns', name: metadata.name });
    recorder.event(object, 'Normal', 'Done', 'ok');
    await recorder.flush();
    assert.equal(fake.all(Event)[0]?.count, 2);
  });

  it('combines many different messages, and drops a flood about one object until it may speak again', async () => {
    const { clock, fake, recorder, object } = setup();
    for (let i = 0; i < 100; i++) recorder.event(object, 'Warning', 'Failed', `try ${i}`);
    await recorder.flush();
    const told = fake.all(Event).reduce((sum, e) => sum + (e.count ?? 0), 0);
    assert.equal(told, 25);
    assert.ok(fake.all(Event).some((e) => e.message?.startsWith('(combined from similar events)')));
    clock.advance(300_000);
    recorder.event(object, 'Warning', 'Failed', 'again');
    recorder.event(object, 'Warning', 'Failed', 'again');
    await recorder.flush();
    assert.equal(
      fake.all(Event).reduce((sum, e) => sum + (e.count ?? 0), 0),
      26,
    );
  });

  it('a refused event is dropped in silence', async () => {
    const { fake, recorder, object } = setup();
    fake.intercept = () => {
      throw new Error('away');
    };
    recorder.event(object, 'Normal', 'Done', 'ok');
    await recorder.flush();
    assert.equal(fake.all(Event).length, 0);
  });
});
