/**
 * Loaded into a process under test (`--import`): gives it a clock that can be put wrong by an hour, in this process
 * alone and without anything of the program knowing. Each SIGUSR2 sets it one further: ahead, right, behind, right.
 */
const HOUR_MS = 3_600_000;
const STATES = [
  [HOUR_MS, '+1h'],
  [0, '0h'],
  [-HOUR_MS, '-1h'],
  [0, '0h'],
];

const RealDate = Date;
let offsetMs = 0;
let next = 0;

class ShiftedDate extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + offsetMs);
    else super(...given);
  }

  /** Dates that the runtime itself has made are dates too. */
  static [Symbol.hasInstance](value) {
    return value instanceof RealDate;
  }

  static now() {
    return RealDate.now() + offsetMs;
  }
}

globalThis.Date = ShiftedDate;

process.on('SIGUSR2', () => {
  const [shiftMs, text] = STATES[next % STATES.length];
  next += 1;
  offsetMs = shiftMs;
  process.stderr.write(`\nthe clock is ${text} off\n`);
});
