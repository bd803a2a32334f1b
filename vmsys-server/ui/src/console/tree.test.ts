import { describe, expect, it } from 'vitest';
import { lines, move, type Node, numbered } from './tree';

/** `{ a: [7], self: <itself>, text: <long> }` */
const ROOT: Node = {
  type: 'object',
  text: '{…}',
  id: 1,
  entries: [
    { key: 'a', kind: 'property', value: { type: 'array', text: '[ 7 ]', id: 2, entries: [{ key: '0', kind: 'index', value: { type: 'number', text: '7' } }] } },
    { key: 'self', kind: 'property', value: { ref: 1 } },
    { key: 'text', kind: 'property', value: { type: 'string', text: 'x'.repeat(500) } },
  ],
  more: 3,
};

const open = (...paths: string[]) => lines(ROOT, numbered([ROOT]), new Set(paths));
const labels = (...paths: string[]) => open(...paths).map((line) => line.note ?? line.label);

describe('a value tree', () => {
  it('is one line until it is opened, and says what was left out', () => {
    expect(labels()).toEqual([null]);
    expect(labels('0')).toEqual([null, 'a', 'self', 'text', '3 more, not kept']);
    expect(labels('0', '0.0')).toEqual([null, 'a', '0', 'self', 'text', '3 more, not kept']);
  });

  it('can be opened within itself as often as one likes, and no further than that', () => {
    expect(labels('0', '0.1', '0.1.1')).toEqual([
      ...[null, 'a', 'self', 'a', 'self', 'a', 'self', 'text', '3 more, not kept'],
      ...['text', '3 more, not kept', 'text', '3 more, not kept'],
    ]);
    expect(open('0')[2]?.isAgain).toBe(true);
  });

  it('leaves out what refers to nothing', () => {
    expect(lines({ ref: 9 }, new Map(), new Set())).toEqual([]);
  });

  it('follows the keys of trees', () => {
    const closed = open();
    expect(move(closed, 0, 'ArrowRight')).toEqual({ at: 0, toggle: '0' });
    const opened = open('0');
    expect(move(opened, 0, 'ArrowRight')).toEqual({ at: 1 });
    expect(move(opened, 1, 'ArrowRight')).toEqual({ at: 1, toggle: '0.0' });
    expect(move(opened, 2, 'ArrowLeft')).toEqual({ at: 0 });
    expect(move(opened, 0, 'ArrowLeft')).toEqual({ at: 0, toggle: '0' });
    expect(move(opened, 4, 'ArrowDown')).toEqual({ at: 4 });
    expect(move(opened, 0, 'ArrowUp')).toEqual({ at: 0 });
    expect(move(opened, 1, 'End')).toEqual({ at: 4 });
    expect(move(opened, 4, 'Home')).toEqual({ at: 0 });
    expect(move(opened, 3, 'Enter')).toEqual({ at: 3, toggle: '0.2' });
    expect(move(opened, 4, ' ')).toEqual({ at: 4 });
    expect(move(opened, 0, 'x')).toBeNull();
  });
});
