import { describe, expect, it } from 'vitest';
import type { Event } from '../api/schema';
import { NO_FILTER, SessionLog, textOf } from './log';

type Payload = Pick<Event, 'type' | 'payload'>;

const A = '01950000-0000-7000-8000-00000000000a';
const B = '01950000-0000-7000-8000-00000000000b';

const event = (execution_id: string, seq: number, of: Payload) =>
  ({ execution_id, seq, ts: '2026-02-08T00:00:00.000Z', ...of }) as Event;
const echo = (text: string): Payload => ({ type: 'input_echo', payload: { text } });
const say = (text: string, level: 'log' | 'warn' = 'log'): Payload => ({ type: 'console', payload: { level, text } });
const value = (preview: string): Payload => ({ type: 'value', payload: { type: 'number', preview } });
const cancelled: Payload = { type: 'system', payload: { level: 'warn', message: 'cancelled' } };

function logOf(...runs: [string, Payload[]][]): SessionLog {
  const log = new SessionLog();
  for (const [id, events] of runs) events.forEach((of, index) => log.add(event(id, index + 1, of)));
  return log;
}

const shown = (log: SessionLog, filter = NO_FILTER) => log.rows(filter).map((row) => textOf(row.event));

describe('a session log', () => {
  it('keeps the order of runs, whichever is told first', () => {
    const log = logOf([B, [echo('b'), value('2')]], [A, [echo('a'), value('1')]]);
    expect(shown(log)).toEqual(['a', '1', 'b', '2']);
  });

  it('takes an event that is told twice once', () => {
    const log = logOf([A, [echo('a'), say('x'), value('1')]]);
    log.add(event(A, 2, say('x')));
    log.add(event(A, 3, value('1')));
    expect(shown(log)).toEqual(['a', 'x', '1']);
  });

  it('goes on from the end of what has ended', () => {
    expect(logOf([A, [echo('a'), value('1')]]).resume()).toBe(`${A}:2`);
    expect(new SessionLog().resume()).toBeUndefined();
  });

  it('has a run that goes on told anew after a cut, and keeps nothing of it that was lost', () => {
    const log = logOf([A, [echo('a'), say('1'), say('2'), say('lost')]]);
    expect(log.running?.id).toBe(A);
    expect(log.resume()).toBe(`${A}:0`);
    // The daemon was killed before it had stored the last line.
    [echo('a'), say('1'), say('2'), cancelled].forEach((of, index) => log.add(event(A, index + 1, of)));
    expect(shown(log)).toEqual(['a', '1', '2', 'cancelled']);
    expect(log.running).toBeUndefined();
  });

  it('shows what it has until it is told anew', () => {
    const log = logOf([A, [echo('a'), say('1')]]);
    log.resume();
    expect(shown(log)).toEqual(['a', '1']);
    // The run was unknown to the daemon: another one is told of next, and this one is dropped.
    log.add(event(B, 1, echo('b')));
    log.drop(A);
    expect(shown(log)).toEqual(['b']);
  });

  it('counts the same line again and again, as it comes', () => {
    const log = logOf([A, [echo('a'), say('x'), say('x')]]);
    expect(log.rows().map((row) => row.count)).toEqual([1, 2]);
    log.add(event(A, 4, say('x')));
    log.add(event(A, 5, say('x', 'warn')));
    log.add(event(A, 6, say('x')));
    expect(log.rows().map((row) => row.count)).toEqual([1, 3, 1, 1]);
    // Not across runs, and the first row of each says that it is.
    const two = logOf([A, [say('x')]], [B, [say('x')]]);
    expect(two.rows().map((row) => [row.count, row.isFirst])).toEqual([
      [1, true],
      [1, true],
    ]);
  });

  it('leaves out levels and texts, and never what was typed and what came of it', () => {
    const log = logOf([A, [echo('a'), say('plain'), say('careful', 'warn'), value('1')]]);
    expect(shown(log, { ...NO_FILTER, hidden: new Set(['warn', 'log'] as const) })).toEqual(['a', '1']);
    expect(shown(log, { ...NO_FILTER, text: 'CARE' })).toEqual(['careful']);
  });

  it('hides what was there when the view was cleared, and nothing of what comes after', () => {
    const log = logOf([A, [echo('a'), value('1')]], [B, [echo('b'), say('before')]]);
    const filter = { ...NO_FILTER, after: { run: B, seq: 2 } };
    expect(shown(log, filter)).toEqual([]);
    log.add(event(B, 3, say('after')));
    expect(shown(log, filter)).toEqual(['after']);
  });

  it('keeps rows as they are while others come', () => {
    const log = logOf([A, [echo('a'), value('1')]], [B, [echo('b')]]);
    const [first] = log.rows();
    log.add(event(B, 2, say('x')));
    expect(log.rows()[0]).toBe(first);
  });
});
