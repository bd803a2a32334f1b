// `timers/promises`: timers to wait for.
(function (internal) {
  'use strict';
  const timers = internal.part('timers');
  const { abortError, invalidArgValue, make, validateAbortSignal, validateBoolean, validateNumber,
    validateObject } = internal.part('node_errors');

  function check(delay, options) {
    if (delay !== undefined) validateNumber(delay, 'delay');
    validateObject(options, 'options');
    validateAbortSignal(options.signal, 'options.signal');
    if (options.ref === undefined) return;
    validateBoolean(options.ref, 'options.ref');
    if (!options.ref) throw invalidArgValue('options.ref', false, 'must be true: a timer is always waited for');
  }

  async function wait(set, clear, value, { signal }) {
    if (signal?.aborted) throw abortError(signal.reason);
    return new Promise((resolve, reject) => {
      const id = set(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve(value);
      });
      function onAbort() {
        clear(id);
        reject(abortError(signal.reason));
      }
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  async function setTimeout(delay, value, options = {}) {
    check(delay, options);
    return wait((done) => timers.setTimeout(done, delay), timers.clearTimeout, value, options);
  }

  async function setImmediate(value, options = {}) {
    check(undefined, options);
    return wait((done) => timers.setImmediate(done), timers.clearImmediate, value, options);
  }

  async function* setInterval(delay, value, options = {}) {
    check(delay, options);
    const { signal } = options;
    if (signal?.aborted) throw abortError(signal.reason);
    let due = 0;
    let wake;
    const ring = () => {
      wake?.();
      wake = undefined;
    };
    const id = timers.setInterval(() => {
      due++;
      ring();
    }, delay);
    signal?.addEventListener('abort', ring, { once: true });
    try {
      while (!signal?.aborted) {
        if (due === 0) await new Promise((resolve) => { wake = resolve; });
        for (; due > 0 && !signal?.aborted; due--) yield value;
      }
      throw abortError(signal.reason);
    } finally {
      timers.clearInterval(id);
      signal?.removeEventListener('abort', ring);
    }
  }

  class Scheduler {
    constructor() {
      throw make(TypeError, 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
    }
    yield() {
      return setImmediate();
    }
    wait(delay, options) {
      return setTimeout(delay, undefined, options);
    }
  }

  return { setTimeout, setImmediate, setInterval, scheduler: Object.create(Scheduler.prototype) };
})
