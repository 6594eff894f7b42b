import { SystemClock } from '../../lib/common/clock.js';
import { describe, expect, it } from '@jest/globals';
import { RequestContext } from '../../lib/common/request-context.js';
import { formatTraceparent, parseTraceparent, TraceIds } from '../../lib/common/trace-context.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('traceparent', () => {
  it('is read and written as W3C says', () => {
    const header = `00-${TRACE}-${SPAN}-01`;
    expect(parseTraceparent(header)).toEqual({ traceId: TRACE, spanId: SPAN, flags: '01' });
    expect(formatTraceparent({ traceId: TRACE, spanId: SPAN, flags: '01' })).toBe(header);
  });

  it('of a later version is read as far as it is known', () => {
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-comes`)?.traceId).toBe(TRACE);
  });

  it.each([
    undefined,
    '',
    `00-${TRACE}-${SPAN}`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01\r\nx: y`,
  ])('that is malformed is none: %p', (header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });

  it('ids are hexadecimal, long enough and never the same', () => {
    const ids = new TraceIds();
    const made = new Set(Array.from({ length: 5_000 }, () => ids.traceId()));
    expect(made.size).toBe(5_000);
    for (const id of made) expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(ids.spanId()).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe('the request context', () => {
  const context = new RequestContext(new SystemClock());

  it('continues the trace of its caller with a span of its own', () => {
    const scope = context.open({
      traceparent: `00-${TRACE}-${SPAN}-00`,
      tracestate: 'vendor=1',
      'x-correlation-id': 'order-7',
    });
    expect(scope).toMatchObject({ tracestate: 'vendor=1', correlationId: 'order-7' });
    expect(scope.trace).toMatchObject({ traceId: TRACE, flags: '00' });
    expect(scope.trace.spanId).not.toBe(SPAN);
  });

  it('begins a trace when there is none, and refuses ids that could write into a log', () => {
    const scope = context.open({ 'x-correlation-id': 'a\nlevel=fatal', tracestate: 'vendor=1' });
    expect(scope.correlationId).toBe(scope.trace.traceId);
    expect(scope.tracestate).toBeUndefined();
  });

  it('is known through every await, and to nobody else', async () => {
    const [a, b] = [context.open({}), context.open({})];
    const see = async (scope: typeof a) =>
      context.run(scope, async () => {
        await new Promise((resolve) => setImmediate(resolve));
        return context.outgoing()['x-correlation-id'];
      });
    await expect(Promise.all([see(a), see(b)])).resolves.toEqual([
      a.correlationId,
      b.correlationId,
    ]);
    expect(context.current).toBeUndefined();
    expect(context.outgoing()).toEqual({});
  });

  it('gives outgoing calls the trace with the span of this hop', () => {
    const scope = context.open({ traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: 'v=1' });
    context.run(scope, () => {
      expect(context.outgoing()).toEqual({
        traceparent: `00-${TRACE}-${scope.trace.spanId}-01`,
        tracestate: 'v=1',
        'x-correlation-id': TRACE,
      });
    });
  });
});
