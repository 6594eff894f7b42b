import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { RouteTools, Spec } from '../../../lib/gateway/definition.js';
import { Definitions } from '../../../lib/gateway/definition.js';
import { predicates } from '../../../lib/gateway/predicates/built-in.js';
import { PredicateRequest } from '../../../lib/gateway/predicates/predicate-request.js';
import type { RoutePredicate } from '../../../lib/gateway/predicates/route-predicate.js';
import { parseVersionRange } from '../../../lib/gateway/predicates/version-range.js';
import { WeightGroups } from '../../../lib/gateway/predicates/weight-groups.js';
import { FakeClock } from '../../../lib/testing/fake-clock.js';

const known = new Definitions<RoutePredicate>('predicate', predicates);
const clock = new FakeClock();
const tools = {
  clock,
  route: { id: 'r', path: '/', to: 'a' },
  random: () => 0.5,
} as unknown as RouteTools;

function made(spec: Spec<RoutePredicate>): RoutePredicate {
  const { definition, args, path } = known.use(spec, 'predicates[0]');
  return definition.make(args, path, tools);
}

const request = (rawHeaders: readonly string[] = [], query = '', address = '10.1.2.3') =>
  new PredicateRequest({ method: 'GET', path: '/', host: '', rawHeaders, query, address });

const iso = (ms: number) => new Date(clock.wallTime() + ms).toISOString();

describe('a predicate', () => {
  it.each<[Spec<RoutePredicate>, PredicateRequest, boolean]>([
    [{ Header: { name: 'X-A' } }, request(['x-a', '']), true],
    [{ Header: { name: 'x-a' } }, request(['x-b', '']), false],
    [{ Header: { name: 'x-a', value: '1' } }, request(['x-a', '2', 'X-A', '1']), true],
    [{ Header: { name: 'x-a', value: ['2', '3'] } }, request(['x-a', '1']), false],
    [{ Header: { name: 'x-a', matches: '\\d+' } }, request(['x-a', '17']), true],
    [{ Header: { name: 'x-a', matches: 'a|b' } }, request(['x-a', 'ab']), false],
    [{ Query: { name: 'a', value: 'ä ' } }, request([], '?a=%C3%A4+'), true],
    [{ Query: { name: 'a' } }, request([], '?a'), true],
    [{ Query: { name: 'a' } }, request([], '?b=a'), false],
    [{ Cookie: { name: 'c', value: 'b' } }, request(['cookie', 'a=1; c=b']), true],
    [{ Cookie: { name: 'c', value: 'b' } }, request(['Cookie', 'c="b"']), true],
    [{ Cookie: { name: 'c' } }, request(['cookie', 'xc=b']), false],
    [{ RemoteAddress: { from: '10.0.0.0/8' } }, request(), true],
    [{ RemoteAddress: { from: ['::1', '192.168.0.0/16'] } }, request(), false],
    [{ Version: { range: '1.x' } }, request(['x-api-version', '1.7']), true],
    [{ Version: { range: '1.x' } }, request(['x-api-version', '2']), false],
    [{ Version: { range: '1.x' } }, request(), false],
    [{ Version: { range: '1.x', neutral: true } }, request(), true],
    [{ Version: { range: '>=2', query: 'v' } }, request([], '?v=2.0.1'), true],
  ])('%j', (spec, asked, expected) => {
    expect(made(spec)(asked)).toBe(expected);
  });

  it('knows what time it is', async () => {
    const [from, to] = [iso(100), iso(200)];
    const tests = [
      { After: { time: from } },
      { Before: { time: to } },
      { Between: { from, to } },
    ].map(made);
    const now = () => tests.map((test) => test(request()));
    expect(now()).toEqual([false, true, false]);
    await clock.advance(100);
    expect(now()).toEqual([true, true, true]);
    await clock.advance(100);
    expect(now()).toEqual([true, false, false]);
  });

  it.each<[Spec<RoutePredicate>, RegExp]>([
    ['Headr', /names the predicate 'Headr', which is not known/],
    [{ Header: {} }, /Header\.name is missing/],
    [{ Header: { name: 'a', value: '1', matches: '1' } }, /stands beside 'value'/],
    [{ RemoteAddress: { from: '10.0.0.0/33' } }, /RemoteAddress\.from is '10\.0\.0\.0\/33'/],
    [{ After: { time: '2027-01-01' } }, /with its offset/],
    [{ After: { time: '2027-13-01T00:00:00Z' } }, /no such time/],
    [{ Version: { range: 'new' } }, /no range of versions/],
    [{ Weight: { group: 'a' } }, /Weight\.weight is missing/],
  ])('is refused when it is wrong: %j', (spec, message) => {
    expect(() => made(spec)).toThrow(message);
  });
});

describe('a range of versions', () => {
  it.each([
    ['1', '1.9.9', true],
    ['1', '2.0.0', false],
    ['1.2', '1.2.9', true],
    ['1.2', '1.3.0', false],
    ['1.2.3', '1.2.3', true],
    ['1.2.3', '1.2.4', false],
    ['1.x', '1.0.0', true],
    ['*', '9', true],
    ['1.2+', '7.0.0', true],
    ['1.2+', '1.1.9', false],
    ['^1.2', '1.9.0', true],
    ['^1.2', '2.0.0', false],
    ['^0.2.1', '0.2.9', true],
    ['^0.2.1', '0.3.0', false],
    ['~1.2.3', '1.2.9', true],
    ['~1.2.3', '1.3.0', false],
    ['>=1.2 <3', '2.9.9', true],
    ['>=1.2 <3', '3.0.0', false],
    ['<=1.2', '1.2.7', true],
    ['>1', '2.0.0', true],
    ['1 || 3', '3.1', true],
    ['1 || 3', '2.1', false],
    ['1.2', 'v1.2.0-beta.1+7', true],
    ['1', 'latest', false],
  ])('%s holds %s: %s', (range, version, expected) => {
    expect(parseVersionRange(range)?.(version)).toBe(expected);
  });

  it.each(['', 'a', '1.2.3.4', '^1+', '1 ||', '1,2'])('is not %j', (text) => {
    expect(parseVersionRange(text)).toBeUndefined();
  });
});

describe('routes that share requests by weight', () => {
  it('get theirs, and a request is drawn once', () => {
    const groups = new WeightGroups();
    groups.add('g', { route: 'a', weight: 95 });
    groups.add('g', { route: 'b', weight: 5 });
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (number) => {
        expect(groups.draw('g', number)).toBe(number < 0.95 ? 'a' : 'b');
      }),
    );
    const asked = request();
    asked.groups = groups;
    expect([asked.drawn('g', () => 0.1), asked.drawn('g', () => 0.99)]).toEqual(['a', 'a']);
    expect(groups.draw('other', 0.5)).toBeUndefined();
  });
});
