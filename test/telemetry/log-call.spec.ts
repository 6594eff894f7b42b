import { describe, expect, it } from '@jest/globals';
import { readLogCall } from '../../lib/telemetry/log-call.js';

const error = new Error('boom');

describe('readLogCall', () => {
  it('takes the last text for the context, as Nest appends it', () => {
    expect(readLogCall('created', ['Orders'])).toEqual({ message: 'created', context: 'Orders' });
    expect(readLogCall('created', [])).toEqual({ message: 'created' });
  });

  it('puts objects beside the message', () => {
    expect(readLogCall('created', [{ id: 7 }, 'Orders'])).toEqual({
      message: 'created',
      context: 'Orders',
      data: { id: 7 },
    });
    expect(readLogCall({ id: 7 }, [{ id: 8 }, 'Orders'])).toEqual({
      message: '',
      context: 'Orders',
      data: [{ id: 7 }, { id: 8 }],
    });
  });

  it('joins further texts and figures to the message', () => {
    expect(readLogCall('took', [12, 'ms', 'Orders'])).toEqual({
      message: 'took 12 ms',
      context: 'Orders',
    });
  });

  it('knows an error wherever it stands', () => {
    for (const call of [readLogCall(error, ['Orders']), readLogCall('failed', [error, 'Orders'])]) {
      expect(call.err).toMatchObject({ type: 'Error', message: 'boom', stack: error.stack });
      expect(call.context).toBe('Orders');
    }
    expect(readLogCall(error, []).message).toBe('boom');
  });

  it('knows a stack, with and without a context behind it', () => {
    expect(readLogCall('failed', [error.stack, 'Orders'])).toEqual({
      message: 'failed',
      context: 'Orders',
      err: { stack: error.stack },
    });
    expect(readLogCall('failed', [error.stack])).toEqual({
      message: 'failed',
      err: { stack: error.stack },
    });
    expect(readLogCall('failed', [undefined, 'Orders'])).toEqual({
      message: 'failed',
      context: 'Orders',
    });
  });
});
