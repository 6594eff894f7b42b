import { describe, expect, it } from '@jest/globals';
import {
  duration,
  flag,
  group,
  integer,
  list,
  made,
  oneOf,
  optional,
  record,
  text,
  textOf,
} from '../../lib/common/option-readers.js';
import { InvalidOptionsError } from '../../lib/common/errors.js';

const read = group({
  name: optional(textOf()),
  mode: oneOf(['fast', 'safe'], 'safe'),
  size: integer(3, { min: 1, max: 10 }),
  on: flag(true),
  path: text('/health', { matches: /^\//, remedy: "Begin it with '/'." }),
  heartbeat: group({ interval: duration('5s', { min: 1_000 }) }),
  tags: list(textOf()),
  weights: record(integer(1)),
  make: optional(made((value): value is () => void => typeof value === 'function', 'a function')),
});

describe('option readers', () => {
  it('fill in every default', () => {
    expect(read(undefined, 'room')).toEqual({
      name: undefined,
      mode: 'safe',
      size: 3,
      on: true,
      path: '/health',
      heartbeat: { interval: 5_000 },
      tags: [],
      weights: {},
      make: undefined,
    });
  });

  it('keep what is given', () => {
    const make = String;
    const given = { name: 'a', mode: 'fast', tags: ['x'], weights: { a: 2 }, make };
    expect(read(given, 'room')).toMatchObject(given);
  });

  it.each([
    [{ naem: 'a' }, 'room.naem is not an option. Did you mean "name"?'],
    [{ zebra: 1 }, 'room.zebra is not an option. Known options: name, mode,'],
    [
      { heartbeat: { intervall: '5s' } },
      'room.heartbeat.intervall is not an option. Did you mean "interval"?',
    ],
    [
      { heartbeat: { interval: 'soon' } },
      "room.heartbeat.interval is 'soon', not a duration. Write it like",
    ],
    [{ heartbeat: { interval: '10ms' } }, 'room.heartbeat.interval is 10ms. Make it at least 1s.'],
    [
      { heartbeat: { interval: '30d' } },
      'interval is 30d, longer than a timer can wait. Make it at most 24d.',
    ],
    [{ mode: 'slow' }, "room.mode is 'slow'. Make it 'fast' or 'safe'."],
    [{ size: 2.5 }, 'room.size is 2.5, not a whole number.'],
    [{ size: 11 }, 'room.size is 11. Keep it between 1 and 10.'],
    [{ size: NaN }, 'room.size is NaN, not a whole number.'],
    [{ on: 'yes' }, "room.on is 'yes'. Make it true or false."],
    [{ path: 'health' }, "room.path is 'health'. Begin it with '/'."],
    [{ name: '' }, "room.name is '', not a text."],
    [{ tags: 'x' }, "room.tags is 'x', not a list."],
    [{ tags: ['a', 7] }, 'room.tags[1] is 7, not a text.'],
    [{ weights: [] }, 'room.weights is a list, not an object.'],
    [{ weights: { a: 'x' } }, "room.weights.a is 'x', not a whole number."],
    [{ make: {} }, 'room.make is an object. It must be a function.'],
    ['everything', "room is 'everything', not an object."],
    [null, 'room is null, not an object.'],
  ])('refuse %j', (given, sentence) => {
    expect(() => read(given, 'room')).toThrow(InvalidOptionsError);
    expect(() => read(given, 'room')).toThrow(sentence);
  });

  it('do not tell people to leave out a text that is missing', () => {
    expect(() => textOf()(undefined, 'room.name')).toThrow(/^room.name is missing. Write a text.$/);
  });

  it('do not take inherited names for options', () => {
    expect(() => read({ constructor: 1 }, 'room')).toThrow('room.constructor is not an option');
    expect(() => read(JSON.parse('{"__proto__": {"size": 5}}'), 'room')).toThrow(
      'room.__proto__ is not an option',
    );
  });
});
