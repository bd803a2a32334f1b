// The module `module`: `require` for ES modules.
(function (internal) {
  'use strict';
  const { createRequire } = internal.part('commonjs');
  const { isModule, moduleNames } = internal.natives;
  return {
    createRequire,
    isBuiltin: (name) => typeof name === 'string' && isModule(name),
    builtinModules: moduleNames(),
  };
})
