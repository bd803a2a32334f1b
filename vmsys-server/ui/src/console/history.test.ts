import { expect, it } from 'vitest';
import { HistoryWalk } from './history';

function walk(...entries: string[]): HistoryWalk {
  const history = new HistoryWalk();
  history.load(entries);
  return history;
}

it('goes back to the oldest input, and forth to what was being typed', () => {
  const history = walk('three', 'two', 'two', 'one');
  expect([history.older('dra'), history.older('x'), history.older('x'), history.older('x')]).toEqual(['three', 'two', 'one', null]);
  expect([history.newer(), history.newer(), history.newer(), history.newer()]).toEqual(['two', 'three', 'dra', null]);
});

it('begins anew with each input that is run', () => {
  const history = walk('old');
  history.older('');
  history.push('new');
  expect([history.older(''), history.older('')]).toEqual(['new', 'old']);
});

it('stays where it is when another tab runs something', () => {
  const history = walk('b', 'a');
  expect(history.older('')).toBe('b');
  history.load(['c', 'b', 'a']);
  expect(history.older('')).toBe('a');
  expect([history.newer(), history.newer()]).toEqual(['b', 'c']);
});

it('finds each input once, newest first', () => {
  expect(walk('x + 1', 'let x', 'x + 1', 'y').find('X', 10)).toEqual(['x + 1', 'let x']);
  expect(walk('a', 'b', 'c').find('', 2)).toEqual(['a', 'b']);
});
