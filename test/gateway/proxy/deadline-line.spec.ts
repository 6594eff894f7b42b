import { describe, expect, it } from '@jest/globals';
import { withDeadline } from '../../../lib/gateway/proxy/deadline-line.js';

describe('what the upstream is told of the time that is left', () => {
  it.each([
    ['accept: */*\r\n', 'accept: */*\r\nx-rookery-deadline: 1000\r\n'],
    ['X-Rookery-Deadline: 200\r\na: b\r\n', 'x-rookery-deadline: 200\r\na: b\r\n'],
    ['a: b\r\nx-rookery-deadline: 5000\r\n', 'a: b\r\nx-rookery-deadline: 1000\r\n'],
    [
      'x-other: x-rookery-deadline: 5\r\n',
      'x-other: x-rookery-deadline: 5\r\nx-rookery-deadline: 1000\r\n',
    ],
  ])('%j becomes %j', (lines, told) => {
    expect(withDeadline(lines, 1_000)).toBe(told);
  });
});
