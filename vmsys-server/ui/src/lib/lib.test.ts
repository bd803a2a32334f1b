import { describe, expect, it } from 'vitest';
import type { Stats } from '../api/schema';
import { cli, curl, quote } from './curl';
import { ago, bytes, duration, milliseconds } from './format';
import { matches } from './match';
import { fill, operations, sampleBody, typeOf } from './openapi';
import { add, rates, type Sample, sampleOf } from './samples';
import { layOut } from './timeline';

describe('commands', () => {
  it('are quoted for a shell', () => {
    expect(quote('a-b/c.js')).toBe('a-b/c.js');
    expect(quote('')).toBe("''");
    expect(quote("it's $HOME")).toBe(`'it'\\''s $HOME'`);
  });

  it('send the same, and keep the token out of sight', () => {
    const text = curl('POST', '/api/v1/x', { a: "it's" }, 'http://127.0.0.1:1', true);
    expect(text).toContain('curl -sS -X POST http://127.0.0.1:1/api/v1/x');
    expect(text).toContain('-H "Authorization: Bearer $VM_SYSTEM_TOKEN"');
    expect(text).toContain(`--data '{"a":"it'\\''s"}'`);
    expect(curl('GET', '/api/v1/x', undefined, 'http://127.0.0.1:1', false)).toBe('curl -sS http://127.0.0.1:1/api/v1/x');
    expect(cli(['exec', 'repl', 'ID', '1 + 1'], 'http://127.0.0.1:3210')).toBe("vm-system exec repl ID '1 + 1'");
    expect(cli(['x'], 'http://127.0.0.1:9')).toBe('vm-system --server-url http://127.0.0.1:9 x');
  });
});

it('numbers and times are short', () => {
  expect([0, 999, 1500, 262_144, 5_000_000_000].map(bytes)).toEqual(['0 B', '999 B', '1.5 kB', '262 kB', '5.0 GB']);
  expect([0, 0.25, 12, 1234, 61_000].map(milliseconds)).toEqual(['0 ms', '0.25 ms', '12 ms', '1.23 s', '1 min 1 s']);
  expect([0, 3_600_000, 90_000_000].map(duration)).toEqual(['0 s', '1 h 0 min', '1 d 1 h']);
  const now = Date.parse('2026-02-08T12:00:00Z');
  const times = ['2026-02-08T11:59:58Z', '2026-02-08T11:00:00Z', '2026-02-01T12:00:00Z', '2026-02-08T12:00:09Z'];
  expect(times.map((time) => ago(time, now))).toEqual(['just now', '1 h ago', '7 d ago', 'just now']);
});

it('a search is all of its words', () => {
  expect([matches('New Session', 'sess new'), matches('abc', ''), matches('abc', 'b d')]).toEqual([true, true, false]);
});

it('long times in which nothing ran are cut short, and nothing leaves the line', () => {
  const span = (id: string, at: number, wall_ms: number) => ({
    id,
    started_at: new Date(at).toISOString(),
    ended_at: new Date(at + wall_ms).toISOString(),
    metrics: { wall_ms },
  });
  const { placed, gaps } = layOut([span('b', 3_600_000, 100), span('a', 0, 100)], 4_000_000);
  expect(placed.map((place) => place.span.id)).toEqual(['a', 'b']);
  expect(gaps).toHaveLength(1);
  expect(placed[0]?.width).toBeGreaterThan(0.4);
  for (const { from, width } of placed) expect(from + width).toBeLessThanOrEqual(1.000001);
  expect(layOut([], 0).placed).toEqual([]);
});

it('rates are known from the second look on, and not across a new start', () => {
  const sample = (at: number, executions: number, startedAt = 'a') => ({ at, executions, startedAt }) as Sample;
  const samples = [sample(0, 0), sample(2, 10), sample(4, 10), sample(6, 1, 'b'), sample(8, 3, 'b')];
  expect(rates(samples, (one) => one.executions)).toEqual([null, 5, 0, null, 1]);
  expect(add(Array.from({ length: 300 }, (_, at) => sample(at, 0)), sample(300, 0))).toHaveLength(300);
  const times = { count: 2, mean_ms: 1, p50_ms: 1, p90_ms: 2, p99_ms: 3 };
  const stats = {
    started_at: 'a',
    executions: {
      ended: [
        { kind: 'repl', status: 'ok', count: 2 },
        { kind: 'repl', status: 'error', count: 1 },
      ],
      latency: [{ kind: 'repl', ...times }],
    },
    requests: { latency: times },
    store: { events: 9, commits: times },
    process: { resident_bytes: 7 },
  } as unknown as Stats;
  expect(sampleOf(stats, 2000)).toMatchObject({ at: 2, executions: 3, failures: 1, executionP99: 3, events: 9 });
});

describe('the reference', () => {
  const document = {
    info: { title: 't', version: '1' },
    paths: {
      '/things/{id}': {
        parameters: {},
        get: {
          operationId: 'getThing',
          tags: ['things'],
          parameters: [{ $ref: '#/components/parameters/Id' }, { name: 'limit', in: 'query' as const }],
          responses: { 200: { description: 'ok', content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } } } },
        },
        post: {
          operationId: 'makeThing',
          requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } } },
        },
      },
    },
    components: {
      parameters: { Id: { name: 'id', in: 'path' as const, required: true } },
      schemas: {
        Thing: {
          type: 'object',
          required: ['name', 'count'],
          properties: { name: { type: 'string' }, count: { type: 'integer' }, tags: { type: 'array', items: { enum: ['a', 'b'] } } },
        },
      },
    },
  };

  it('lists operations with all that they take and answer', () => {
    const [get, post] = operations(document as never);
    expect(get).toMatchObject({ id: 'getThing', method: 'GET', body: null, answers: [{ status: '200', type: 'Thing' }] });
    expect(get?.params.map((param) => param.name)).toEqual(['id', 'limit']);
    expect(post?.body?.map((field) => [field.name, field.type, field.isRequired])).toEqual([
      ['name', 'string', true],
      ['count', 'integer', true],
      ['tags', '"a" | "b"[]', false],
    ]);
    expect(JSON.parse(sampleBody(post?.body ?? []))).toEqual({ name: '', count: 0 });
  });

  it('fills in paths and queries', () => {
    const [get] = operations(document as never);
    expect(fill('/things/{id}', get?.params ?? [], { id: 'a/b', limit: '2' })).toBe('/things/a%2Fb?limit=2');
    expect(typeOf({ oneOf: [{ type: 'string' }, { const: 1 }] })).toBe('string | 1');
  });
});
