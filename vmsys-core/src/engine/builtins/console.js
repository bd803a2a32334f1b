// `console`, as a module: what the global is when it is first asked for.
(function (internal) {
  'use strict';
  return globalThis.console;
})
