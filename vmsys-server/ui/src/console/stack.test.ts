import { expect, it } from 'vitest';
import { parse } from './stack';

it('tells what is said from where it happened, and files from what was typed', () => {
  const { message, frames } = parse(
    'RangeError: on\npurpose\n    at deep (lib/fails.js:2:9)\n    at repl:1:1\n    at f (repl:2:3)\n    at main.mjs:4:1\n    at native\n',
  );
  expect(message).toBe('RangeError: on\npurpose');
  expect(frames.map(({ name, file, line, column }) => [name, file, line, column])).toEqual([
    ['deep', 'lib/fails.js', 2, 9],
    ['', undefined, 1, 1],
    ['f', undefined, 2, 3],
    ['', 'main.mjs', 4, 1],
    ['native', undefined, undefined, undefined],
  ]);
});

it('leaves what has no stack as it is', () => {
  expect(parse('7')).toEqual({ message: '7', frames: [] });
});
