// SQLite: one database a session, in a file of the worktree's or in memory.
(function (internal) {
  'use strict';
  const { call, part } = internal;
  const { apply, setPrototypeOf } = Reflect;
  const RealPromise = Promise;
  const { then } = RealPromise.prototype;

  // `configure(path)`, or `configure('sqlite3', path)`.
  function configure(...args) {
    call('database', 'configure', ...args);
  }

  // The rows of one statement, as objects. Bytes are a Buffer, as files' are.
  function query(sql, ...params) {
    const { rows, bytes } = call('database', 'query', sql, params);
    if (bytes.length === 0) return rows;
    const { prototype } = part('buffer').Buffer;
    for (let i = 0; i < rows.length; i++) {
      for (let j = 0; j < bytes.length; j++) {
        const value = rows[i][bytes[j]];
        if (typeof value === 'object' && value !== null) setPrototypeOf(value, prototype);
      }
    }
    return rows;
  }

  // What one statement, or several without parameters, changed.
  function exec(sql, ...params) {
    return call('database', 'exec', sql, params);
  }

  function close() {
    call('database', 'close');
  }

  const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';

  // Runs a function between BEGIN and COMMIT, or ROLLBACK when it throws; of an async one, the end is awaited.
  function transaction(body) {
    if (typeof body !== 'function') throw new TypeError('The "body" argument must be of type function');
    call('database', 'exec', 'BEGIN IMMEDIATE', []);
    const commit = (value) => {
      try {
        call('database', 'exec', 'COMMIT', []);
      } catch (error) {
        call('database', 'rollback');
        throw error;
      }
      return value;
    };
    const undo = (error) => {
      call('database', 'rollback');
      throw error;
    };
    let value;
    let wait;
    try {
      value = body();
      // Any thenable, as `await` has it: committed at once, what it does later would be outside of the transaction.
      wait = value instanceof RealPromise ? then : isObject(value) && value.then;
    } catch (error) {
      return undo(error);
    }
    if (typeof wait !== 'function') return commit(value);
    const end = new RealPromise((resolve, reject) => apply(wait, value, [resolve, reject]));
    return apply(then, end, [commit, undo]);
  }

  return { configure, query, exec, close, transaction };
})
