// An exports map with nested conditions: `import` gets one file, `require` another, and what is not mapped is closed.
import { createRequire } from 'node:module';
import clsx, { clsx as named } from 'clsx';
import lite from 'clsx/lite';

const require = createRequire(import.meta.url);
const required = require('clsx');
const code = async load => { try { await load(); return 'loaded'; } catch (error) { return error.code; } };
console.log(JSON.stringify([
  clsx('a', { b: true, c: false }, ['d', [null, 'e']], 0, 7),
  named === clsx,
  lite('a', { b: true }, false, 'c'),
  [typeof required, typeof required.clsx, required('x', 'y'), required === clsx],
  require('clsx/lite')('p', 'q'),
  await code(() => import('clsx/dist/clsx.mjs')),
  await code(() => require('clsx/package.json')),
  await code(() => import('no-such-package')),
  await code(() => require('no-such-package')),
]));
