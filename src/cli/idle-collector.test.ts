import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '../lib/clock.ts';
import { createIdleCollector } from './idle-collector.ts';

describe('createIdleCollector', () => {
  it('collects once after a burst, not during it, and not while idle', () => {
    const clock = new FakeClock();
    let cpu = 0;
    let collections = 0;
    const collector = createIdleCollector({ clock, cpuMs: () => cpu, collect: () => collections++ });
    collector.start();
    clock.advance(15_000);
    assert.equal(collections, 1, 'after the start');
    clock.advance(120_000);
    assert.equal(collections, 1, 'idle');
    cpu += 5_000;
    clock.advance(15_000);
    assert.equal(collections, 1, 'during the burst');
    clock.advance(15_000);
    assert.equal(collections, 2, 'after it');
    collector.stop();
    cpu += 5_000;
    clock.advance(60_000);
    assert.equal(collections, 2, 'stopped');
  });

  it('tells of a load that goes on, not of a start or a short burst', () => {
    const clock = new FakeClock();
    let cpu = 0;
    let busy = 0;
    const collector = createIdleCollector({ clock, cpuMs: () => cpu, collect() {}, onBusy: () => busy++ });
    cpu += 20_000;
    collector.start();
    clock.advance(15_000);
    cpu += 4_000;
    clock.advance(15_000);
    assert.equal(busy, 0);
    cpu += 6_000;
    clock.advance(15_000);
    assert.equal(busy, 1);
    collector.stop();
  });
});
