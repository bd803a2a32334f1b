// `require`: CommonJS modules of the worktree, cached for the life of the session.
(function (internal) {
  'use strict';
  const { caller, builtin, compile, evaluate, job, runModule } = internal.natives;
  const { apply, defineProperty } = Reflect;
  const { hasOwn } = Object;
  const parseJson = JSON.parse;
  const cache = Object.create(null);
  // By file, the execution that is loading it. One that was stopped at a limit gets no chance to clean up behind itself.
  const loading = Object.create(null);

  function Module(file, path, parent) {
    const slash = file.lastIndexOf('/');
    this.id = file;
    this.path = slash > 0 ? file.slice(0, slash) : '/';
    this.exports = {};
    this.filename = file;
    this.loaded = false;
    this.children = [];
    this.require = requireFrom(path);
    defineProperty(this, 'parent', { value: parent, enumerable: false, configurable: true, writable: true });
  }

  function check(id) {
    if (typeof id !== 'string') {
      const error = new TypeError(`The "id" argument must be of type string. Received ${id === null ? 'null' : `type ${typeof id}`}`);
      error.code = 'ERR_INVALID_ARG_TYPE';
      throw error;
    }
    if (id === '') {
      const error = new TypeError("The argument 'id' must be a non-empty string. Received ''");
      error.code = 'ERR_INVALID_ARG_VALUE';
      throw error;
    }
  }

  const resolve = (id, referrer) => internal.call('vm:loader', 'resolve', id, referrer, 'require');

  // Whether a package says that it can do without a module.
  function isOptional(id, referrer) {
    try {
      return resolve(id, referrer).format === 'empty';
    } catch {
      return false;
    }
  }

  // What is imported goes its own way when it turns out to be an ES module: then it gives null.
  function load({ path, file, format }, isImport) {
    // A file that is being run is the module that others of its cycle get.
    const own = runModule(path);
    if (own !== undefined) return own;
    const known = cache[file];
    const isStale = loading[file] !== undefined && loading[file] !== job();
    if (known !== undefined && !isStale) return known;
    const module = new Module(file, path, null);
    if (format === 'module') return enter(module, path);
    cache[file] = module;
    loading[file] = job();
    let done = false;
    try {
      const source = internal.call('vm:loader', 'read', path);
      if (format === 'json') {
        try {
          module.exports = parseJson(source);
        } catch (error) {
          error.message = `${file}: ${error.message}`;
          throw error;
        }
      } else {
        const wrapped = compile(path, source);
        if (wrapped === null) {
          delete cache[file];
          done = true;
          return isImport ? null : enter(module, path);
        }
        apply(wrapped, module.exports, [module.exports, module.require, module, file, module.path]);
      }
      done = true;
    } finally {
      // What failed is tried again when it is asked for again.
      if (!done) delete cache[file];
      delete loading[file];
    }
    module.loaded = true;
    return module;
  }

  // Gives a module the exports of the ES module that it is. Code that was compiled to CommonJS looks for a mark before it
  // looks for `default`.
  function enter(module, path) {
    const namespace = evaluate(path, false);
    if (hasOwn(namespace, 'module.exports')) module.exports = namespace['module.exports'];
    else if (hasOwn(namespace, 'default') && !hasOwn(namespace, '__esModule')) module.exports = evaluate(path, true);
    else module.exports = namespace;
    module.loaded = true;
    cache[module.filename] = module;
    return module;
  }

  // What a package's `imports` map to a module that is no file.
  function mapped(id, name) {
    const exports = builtin(name);
    if (exports !== undefined) return exports;
    const error = new Error(`Cannot find package '${name}', which '${id}' stands for`);
    error.code = 'MODULE_NOT_FOUND';
    throw error;
  }

  // `referrer` is the path of the file that asks; null asks who called.
  function requireFrom(referrer) {
    const from = (levels) => (referrer === null ? caller(levels) : referrer);
    function require(id) {
      check(id);
      let ours;
      try {
        ours = builtin(id);
      } catch (error) {
        if (error?.code !== 'ERR_MODULE_NOT_GRANTED' || !isOptional(id, from(2))) throw error;
        return {};
      }
      if (ours !== undefined) return ours;
      const found = resolve(id, from(2));
      if (found.format === 'builtin') return mapped(id, found.path);
      return found.format === 'empty' ? {} : load(found, false).exports;
    }
    require.resolve = function resolveId(id) {
      check(id);
      if (builtin(id) !== undefined) return id;
      const found = resolve(id, from(2));
      return found.format === 'empty' ? id : found.file;
    };
    require.cache = cache;
    require.main = undefined;
    return require;
  }

  // For modules that have no `require` of their own: a file by its absolute path or `file:` URL.
  function createRequire(from) {
    const file = typeof from === 'string' ? from : from instanceof Object ? from.href : undefined;
    check(file);
    // The file itself need not be there.
    return requireFrom(internal.call('vm:loader', 'locate', file));
  }

  // A file that is run by itself sees a `module`, though it is none that can be required.
  function enterRun(path, file) {
    const module = new Module(file, path, null);
    require.main = module;
    module.require.main = module;
    return module;
  }

  const require = requireFrom(null);
  return {
    require,
    createRequire,
    enterRun,
    // For an import of a CommonJS module.
    load: (path, file, format) => load({ path, file, format }, true),
  };
})
