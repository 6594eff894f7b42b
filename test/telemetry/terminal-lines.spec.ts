import { describe, expect, it } from '@jest/globals';
import { terminalLines } from '../../lib/telemetry/terminal-lines.js';

function read(fields: object, colours = false): string {
  let line = '';
  terminalLines({ write: (text) => (line = text) }, colours).write(JSON.stringify(fields));
  return line;
}

const time = '2026-01-01T12:00:00.123Z';

describe('terminalLines', () => {
  it('writes one line for people', () => {
    expect(
      read({
        time,
        level: 'info',
        context: 'Orders',
        msg: 'created',
        data: { id: 7 },
        correlationId: '4bf92f3577b34da6a3ce929d0e0e4736',
      }),
    ).toBe('12:00:00.123 INFO  Orders: created {"id":7} (4bf92f35)\n');
    expect(read({ time, level: 'debug', msg: 'hello' })).toBe('12:00:00.123 DEBUG hello\n');
  });

  it('writes an error with its stack and its causes below', () => {
    expect(
      read({
        time,
        level: 'error',
        msg: 'failed',
        err: { stack: 'Error: a\n    at x', cause: { message: 'b' } },
      }),
    ).toBe('12:00:00.123 ERROR failed\nError: a\n    at x\nCaused by: b\n');
  });

  it('colours the level alone', () => {
    expect(read({ time, level: 'warn', msg: 'slow' }, true)).toBe(
      '12:00:00.123 \u001B[33mWARN \u001B[0m slow\n',
    );
    expect(read({ time, level: 'info', msg: 'ok' }, true)).toBe('12:00:00.123 INFO  ok\n');
  });
});
