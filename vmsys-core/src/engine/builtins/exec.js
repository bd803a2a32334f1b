// Programs of the host's: `run` waits for one, `spawn` answers with a promise.
(function (internal) {
  'use strict';
  const { call, begin } = internal;
  const { isArray } = Array;

  // The list of arguments may be left out, as everywhere.
  const shift = (args, options) =>
    options === undefined && typeof args === 'object' && args !== null && !isArray(args) ? [undefined, args] : [args, options];

  function run(command, args, options) {
    const given = shift(args, options);
    return call('exec', 'run', command, given[0], given[1]);
  }

  // What is wrong with the arguments is a rejection, too: there is one way to fail.
  async function spawn(command, args, options) {
    const given = shift(args, options);
    return begin('exec', 'spawn', command, given[0], given[1]).promise;
  }

  return { run, spawn };
})
