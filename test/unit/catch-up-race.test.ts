import { describe, expect, it } from 'vitest';
import { CatchUpRace } from '../../src/platform/push/catch-up-race.js';

describe('one who catches up with a tail that moves on (X.19)', () => {
  it('is paced while each page brings it nearer by half', () => {
    const tail = { joinSeq: 1000 };
    const race = new CatchUpRace(tail);
    for (let afterSeq = 0; afterSeq < 1000; afterSeq += 100) {
      race.beginPage(afterSeq);
      tail.joinSeq += 50;
      expect(race.isLosing()).toBe(false);
    }
  });

  it.each([
    ['a page', 0, 51],
    ['the few events that it lacks', 990, 6],
  ])(
    'is not paced once the tail has gained more than half of %s, until it has joined',
    (_what, afterSeq, gain) => {
      const tail = { joinSeq: 1000 };
      const race = new CatchUpRace(tail);
      race.beginPage(afterSeq);
      tail.joinSeq += gain;
      race.beginPage(Math.min(afterSeq + 100, 1000));
      expect(race.isLosing()).toBe(true);
      race.end();
      race.beginPage(afterSeq);
      expect(race.isLosing()).toBe(false);
    },
  );
});
