// `child_process`, as Node has it for programs that are not allowed to start others: each function refuses.
(function (internal) {
  'use strict';
  const refusals = {};
  for (const name of ['exec', 'execFile', 'execFileSync', 'execSync', 'fork', 'spawn', 'spawnSync']) {
    refusals[name] = {
      [name]() {
        const error = new Error("Processes cannot be started with the Node module 'child_process' in sessions: the module 'exec', where a template grants it, runs commands");
        error.code = 'ERR_ACCESS_DENIED';
        error.permission = 'ChildProcess';
        throw error;
      },
    }[name];
  }
  return refusals;
})
