// `timers`: the functions that are globals too.
(function (internal) {
  'use strict';
  // As they are when the module is first loaded.
  const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate } = globalThis;
  const timers = { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate };
  Object.defineProperty(timers, 'promises', {
    get() { return internal.part('timers_promises'); },
    enumerable: true,
    configurable: true,
  });
  return timers;
})
