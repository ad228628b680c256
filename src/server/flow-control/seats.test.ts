import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PriorityLevel, type SeatLimits, Seats, type Waiting } from './seats.ts';

const queue = { perFlow: 10, all: 20 };

function level(name: string, limits: SeatLimits): PriorityLevel {
  return Object.assign(new PriorityLevel(name), { limits, queue });
}

function seatsOf(...levels: PriorityLevel[]): Seats {
  const seats = new Seats();
  seats.configure(levels);
  return seats;
}

const times = (count: number, take: () => boolean): number => Array.from({ length: count }, take).filter(Boolean).length;

function waiting(seats: Seats, at: PriorityLevel, served: PriorityLevel[], flow = ''): Waiting {
  const who: Waiting = { level: at, flow, begin: () => served.push(at) };
  assert.equal(seats.wait(who, queue), undefined);
  return who;
}

describe('seats', () => {
  it('a level has its own and what others lend, up to its limit', () => {
    const a = level('a', { nominal: 10, lower: 4, upper: 10 });
    const b = level('b', { nominal: 10, lower: 6, upper: 13 });
    const seats = seatsOf(a, b);
    assert.equal(
      times(30, () => seats.take(b)),
      13,
      'its upper limit',
    );
    assert.equal(
      times(30, () => seats.take(a)),
      7,
      'of 6 + 4 to be lent the other has 7, and 4 are never lent',
    );
    for (let n = 0; n < 13; n++) seats.free(b);
    assert.equal(
      times(30, () => seats.take(a)),
      3,
      'up to 10 again',
    );
  });

  it('what becomes free goes to the waiting level that has least of its part', () => {
    const a = level('a', { nominal: 10, lower: 0, upper: 100 });
    const b = level('b', { nominal: 10, lower: 0, upper: 100 });
    const seats = seatsOf(a, b);
    assert.equal(
      times(30, () => seats.take(a)),
      20,
    );
    const served: PriorityLevel[] = [];
    for (let n = 0; n < 3; n++) waiting(seats, a, served);
    for (let n = 0; n < 3; n++) waiting(seats, b, served);
    for (let n = 0; n < 4; n++) seats.free(a);
    assert.deepEqual(served, [b, b, b, a]);
    assert.deepEqual([a.executing, b.executing], [17, 3]);
  });

  it('the exempt never wait, and leave to others what is never lent', () => {
    const exempt = Object.assign(level('exempt', { nominal: 0, lower: 0, upper: 0 }), { exempt: true });
    const a = level('a', { nominal: 10, lower: 4, upper: 10 });
    const seats = seatsOf(exempt, a);
    assert.equal(
      times(1000, () => seats.take(exempt)),
      1000,
    );
    assert.equal(
      times(30, () => seats.take(a)),
      4,
    );
    for (let n = 0; n < 1000; n++) seats.free(exempt);
    assert.equal(
      times(30, () => seats.take(a)),
      6,
    );
  });

  it('more seats are given out when limits grow', () => {
    const a = level('a', { nominal: 1, lower: 1, upper: 1 });
    const seats = seatsOf(a);
    assert.equal(
      times(2, () => seats.take(a)),
      1,
    );
    const served: PriorityLevel[] = [];
    for (let n = 0; n < 3; n++) waiting(seats, a, served);
    a.limits = { nominal: 3, lower: 3, upper: 3 };
    seats.configure([a]);
    assert.equal(served.length, 2);
  });

  it('a level without a part borrows after all others', () => {
    const none = level('none', { nominal: 0, lower: 0, upper: 10 });
    const a = level('a', { nominal: 2, lower: 0, upper: 10 });
    const seats = seatsOf(none, a);
    assert.equal(
      times(5, () => seats.take(a)),
      2,
    );
    const served: PriorityLevel[] = [];
    waiting(seats, none, served);
    waiting(seats, a, served);
    seats.free(a);
    seats.free(a);
    assert.deepEqual(served, [a, none]);
  });

  it('property: limits hold, nobody waits beside a seat it may have, and no seat is lost', () => {
    const limits = fc
      .record({ nominal: fc.nat(6), lent: fc.nat(6), borrows: fc.nat(8) })
      .map(({ nominal, lent, borrows }) => ({ nominal, lower: Math.max(0, nominal - lent), upper: nominal + borrows }));
    const step = fc.record({
      does: fc.constantFrom('come', 'come', 'come', 'finish', 'giveUp', 'configure'),
      level: fc.nat(2),
      which: fc.nat(50),
      limits,
    });
    fc.assert(
      fc.property(fc.array(limits, { minLength: 3, maxLength: 3 }), fc.array(step, { maxLength: 150 }), (initial, steps) => {
        const levels = initial.map((each, i) => level(`l${i}`, each));
        const seats = seatsOf(...levels);
        let seated: PriorityLevel[] = [];
        let waiters: Waiting[] = [];
        let reconfigured = false;
        const come = (at: PriorityLevel, flow: string): void => {
          if (seats.take(at)) {
            seated.push(at);
            return;
          }
          const who: Waiting = {
            level: at,
            flow,
            begin() {
              seated.push(at);
              waiters = waiters.filter((other) => other !== who);
            },
          };
          waiters.push(who);
          const turnedAway = seats.wait(who, { perFlow: 3, all: 5 });
          waiters = waiters.filter((other) => other !== turnedAway);
        };
        const finish = (at: PriorityLevel): void => {
          seated.splice(seated.indexOf(at), 1);
          seats.free(at);
        };
        for (const { does, level: number, which, limits: next } of steps) {
          if (does === 'come') come(levels[number]!, `f${which % 3}`);
          else if (does === 'finish' && seated.length > 0) finish(seated[which % seated.length]!);
          else if (does === 'giveUp' && waiters.length > 0) {
            const who = waiters.splice(which % waiters.length, 1)[0]!;
            assert.equal(seats.giveUp(who), true);
            assert.equal(seats.giveUp(who), false);
          } else if (does === 'configure') {
            levels[number]!.limits = next;
            reconfigured = true;
            seats.configure(levels);
          }
          const total = levels.reduce((sum, { limits: { nominal } }) => sum + nominal, 0);
          if (!reconfigured) assert.ok(seated.length <= total, `${seated.length} of ${total}`);
          for (const each of levels) {
            assert.equal(each.executing, seated.filter((at) => at === each).length);
            assert.equal(each.waiting.size, waiters.filter((who) => who.level === each).length);
            if (!reconfigured) assert.ok(each.executing <= each.limits.upper);
            if (each.waiting.size > 0) {
              assert.ok(each.executing >= each.limits.lower, 'its own seats');
              assert.equal(seats.take(each), false, 'nobody waits where there is a seat');
            }
          }
        }
        for (const who of waiters.splice(0)) seats.giveUp(who);
        while (seated.length > 0) finish(seated[0]!);
        for (const each of levels) assert.ok(each.isIdle);
        const mine = levels[0]!;
        const most = levels.reduce((sum, { limits: { nominal, lower } }) => sum + nominal - lower, mine.limits.lower);
        assert.equal(
          times(100, () => seats.take(mine)),
          Math.min(most, mine.limits.upper),
          'all seats are there again',
        );
        seated = [];
      }),
    );
  });
});
