// `events`: Node's EventEmitter, and waiting for what it emits.
(function (internal) {
  'use strict';
  const { apply, defineProperty, getPrototypeOf, ownKeys } = Reflect;
  const { isArray } = Array;
  const { abortError, invalidArgType, make, outOfRange, validateAbortSignal, validateBoolean, validateFunction,
    validateInteger, validateNumber } = internal.part('node_errors');

  const captureSymbol = Symbol('kCapture');
  const errorMonitor = Symbol('events.errorMonitor');
  const rejectionSymbol = Symbol.for('nodejs.rejection');
  const targetListeners = Symbol('events.maxEventTargetListeners');
  let defaultMaxListeners = 10;

  const checkListener = (listener) => validateFunction(listener, 'listener');

  // `_events` holds a function, or an array of several, by name: libraries look into it, so it is as in Node.
  function EventEmitter(options) {
    EventEmitter.init.call(this, options);
  }
  const proto = EventEmitter.prototype;
  proto._events = undefined;
  proto._eventsCount = 0;
  proto._maxListeners = undefined;
  defineProperty(proto, captureSymbol, { value: false, writable: true, enumerable: false });

  EventEmitter.init = function (options) {
    if (this._events === undefined || this._events === getPrototypeOf(this)._events) {
      this._events = Object.create(null);
      this._eventsCount = 0;
    }
    this._maxListeners = this._maxListeners || undefined;
    if (options?.captureRejections) {
      validateBoolean(options.captureRejections, 'options.captureRejections');
      this[captureSymbol] = true;
    } else {
      this[captureSymbol] = proto[captureSymbol];
    }
  };

  const maxListenersOf = (emitter) => (emitter._maxListeners === undefined ? defaultMaxListeners : emitter._maxListeners);

  function capture(emitter, result, type, args) {
    if (result === undefined || result === null || !emitter[captureSymbol]) return;
    try {
      const { then } = result;
      if (typeof then !== 'function') return;
      apply(then, result, [undefined, (error) => {
        Promise.resolve().then(() => rejected(emitter, error, type, args));
      }]);
    } catch (error) {
      emitter.emit('error', error);
    }
  }

  function rejected(emitter, error, type, args) {
    if (typeof emitter[rejectionSymbol] === 'function') {
      emitter[rejectionSymbol](error, type, ...args);
      return;
    }
    // A listener of 'error' that rejects in its turn is not captured: it would go round for ever.
    const before = emitter[captureSymbol];
    try {
      emitter[captureSymbol] = false;
      emitter.emit('error', error);
    } finally {
      emitter[captureSymbol] = before;
    }
  }

  function unhandled(value) {
    let shown;
    try {
      shown = internal.part('util').inspect(value);
    } catch {
      shown = value;
    }
    const error = make(Error, 'ERR_UNHANDLED_ERROR', `Unhandled error. (${shown})`);
    error.context = value;
    return error;
  }

  function add(emitter, type, listener, prepend) {
    checkListener(listener);
    let events = emitter._events;
    if (events === undefined) {
      events = emitter._events = Object.create(null);
      emitter._eventsCount = 0;
    } else if (events.newListener !== undefined) {
      emitter.emit('newListener', type, listener.listener ?? listener);
      events = emitter._events;
    }
    const existing = events[type];
    if (existing === undefined) {
      events[type] = listener;
      ++emitter._eventsCount;
      return emitter;
    }
    let list = existing;
    if (typeof existing === 'function') list = events[type] = prepend ? [listener, existing] : [existing, listener];
    else if (prepend) existing.unshift(listener);
    else existing.push(listener);
    const most = maxListenersOf(emitter);
    if (most > 0 && list.length > most && !list.warned) {
      list.warned = true;
      warnOfLeak(emitter, type, list.length, most);
    }
    return emitter;
  }

  function warnOfLeak(emitter, type, count, most) {
    const name = internal.part('util').inspect(emitter, { depth: -1 });
    globalThis.console?.warn?.('MaxListenersExceededWarning: Possible EventEmitter memory leak detected. ' +
      `${count} ${String(type)} listeners added to ${name}. MaxListeners is ${most}. ` +
      'Use emitter.setMaxListeners() to increase limit');
  }

  function onceWrapped(emitter, type, listener) {
    checkListener(listener);
    let fired = false;
    function wrapped(...args) {
      if (fired) return undefined;
      emitter.removeListener(type, wrapped);
      fired = true;
      return apply(listener, emitter, args);
    }
    wrapped.listener = listener;
    return wrapped;
  }

  function listenersOf(emitter, type, unwrap) {
    const found = emitter._events?.[type];
    if (found === undefined) return [];
    const list = typeof found === 'function' ? [found] : found.slice();
    return unwrap ? list.map((listener) => listener.listener || listener) : list;
  }

  const methods = {
    setMaxListeners(n) {
      validateNumber(n, 'setMaxListeners', 0);
      this._maxListeners = n;
      return this;
    },
    getMaxListeners() {
      return maxListenersOf(this);
    },
    emit(type, ...args) {
      const events = this._events;
      if (type === 'error') {
        if (events?.[errorMonitor] !== undefined) this.emit(errorMonitor, ...args);
        if (events?.error === undefined) throw args[0] instanceof Error ? args[0] : unhandled(args[0]);
      }
      const handler = events?.[type];
      if (handler === undefined) return false;
      if (typeof handler === 'function') {
        capture(this, apply(handler, this, args), type, args);
        return true;
      }
      const listeners = handler.slice();
      for (let i = 0; i < listeners.length; i++) capture(this, apply(listeners[i], this, args), type, args);
      return true;
    },
    addListener(type, listener) {
      return add(this, type, listener, false);
    },
    prependListener(type, listener) {
      return add(this, type, listener, true);
    },
    once(type, listener) {
      this.on(type, onceWrapped(this, type, listener));
      return this;
    },
    prependOnceListener(type, listener) {
      this.prependListener(type, onceWrapped(this, type, listener));
      return this;
    },
    removeListener(type, listener) {
      checkListener(listener);
      const events = this._events;
      const list = events?.[type];
      if (list === undefined) return this;
      if (list === listener || list.listener === listener) {
        this._eventsCount -= 1;
        if (this._eventsCount === 0) this._events = Object.create(null);
        else delete events[type];
        if (events.removeListener) this.emit('removeListener', type, list.listener || listener);
      } else if (typeof list !== 'function') {
        const at = list.findLastIndex((each) => each === listener || each.listener === listener);
        if (at < 0) return this;
        list.splice(at, 1);
        if (list.length === 1) events[type] = list[0];
        if (events.removeListener !== undefined) this.emit('removeListener', type, listener);
      }
      return this;
    },
    removeAllListeners(type) {
      const events = this._events;
      if (events === undefined) return this;
      if (events.removeListener === undefined) {
        if (arguments.length === 0) {
          this._events = Object.create(null);
          this._eventsCount = 0;
        } else if (events[type] !== undefined) {
          this._eventsCount--;
          if (this._eventsCount === 0) this._events = Object.create(null);
          else delete events[type];
        }
        return this;
      }
      // Somebody listens to removals: each is told.
      if (arguments.length === 0) {
        for (const key of ownKeys(events)) {
          if (key !== 'removeListener') this.removeAllListeners(key);
        }
        this.removeAllListeners('removeListener');
        this._events = Object.create(null);
        this._eventsCount = 0;
        return this;
      }
      const list = events[type];
      if (typeof list === 'function') this.removeListener(type, list);
      else if (list !== undefined) {
        for (let i = list.length - 1; i >= 0; i--) this.removeListener(type, list[i]);
      }
      return this;
    },
    listeners(type) {
      return listenersOf(this, type, true);
    },
    rawListeners(type) {
      return listenersOf(this, type, false);
    },
    listenerCount(type, listener) {
      const found = this._events?.[type];
      if (found === undefined) return 0;
      if (listener == null) return typeof found === 'function' ? 1 : found.length;
      const list = typeof found === 'function' ? [found] : found;
      return list.filter((each) => each === listener || each.listener === listener).length;
    },
    eventNames() {
      return this._eventsCount > 0 ? ownKeys(this._events) : [];
    },
  };
  for (const name of ownKeys(methods)) proto[name] = methods[name];
  proto.on = proto.addListener;
  proto.off = proto.removeListener;

  // An EventTarget is listened to as well, as an AbortSignal is.
  function listen(emitter, name, listener, flags) {
    if (typeof emitter.on === 'function') {
      if (flags?.once) emitter.once(name, listener);
      else emitter.on(name, listener);
    } else if (typeof emitter.addEventListener === 'function') {
      emitter.addEventListener(name, listener, flags);
    } else {
      throw invalidArgType('emitter', 'EventEmitter', emitter);
    }
  }

  function unlisten(emitter, name, listener, flags) {
    if (typeof emitter.removeListener === 'function') emitter.removeListener(name, listener);
    else if (typeof emitter.removeEventListener === 'function') emitter.removeEventListener(name, listener, flags);
    else throw invalidArgType('emitter', 'EventEmitter', emitter);
  }

  async function once(emitter, name, options = {}) {
    const signal = options?.signal;
    validateAbortSignal(signal, 'options.signal');
    if (signal?.aborted) throw abortError(signal.reason);
    return new Promise((resolve, reject) => {
      const onError = (error) => {
        emitter.removeListener(name, onEvent);
        if (signal != null) unlisten(signal, 'abort', onAbort);
        reject(error);
      };
      const onEvent = (...args) => {
        if (typeof emitter.removeListener === 'function') emitter.removeListener('error', onError);
        if (signal != null) unlisten(signal, 'abort', onAbort);
        resolve(args);
      };
      function onAbort() {
        unlisten(emitter, name, onEvent);
        unlisten(emitter, 'error', onError);
        reject(abortError(signal?.reason));
      }
      listen(emitter, name, onEvent, { once: true });
      if (name !== 'error' && typeof emitter.once === 'function') emitter.once('error', onError);
      if (signal != null) listen(signal, 'abort', onAbort, { once: true });
    });
  }

  const AsyncIteratorPrototype = getPrototypeOf(getPrototypeOf(async function* () {}).prototype);

  function on(emitter, event, options = {}) {
    const { signal } = options;
    validateAbortSignal(signal, 'options.signal');
    if (signal?.aborted) throw abortError(signal.reason);
    const high = options.highWaterMark ?? options.highWatermark ?? Number.MAX_SAFE_INTEGER;
    validateInteger(high, 'options.highWaterMark', 1);
    const low = options.lowWaterMark ?? options.lowWatermark ?? 1;
    validateInteger(low, 'options.lowWaterMark', 1);

    const events = [];
    // Where the first unread event is: taking from the front of a long array would copy it each time.
    let read = 0;
    const waiting = [];
    const listening = [];
    let paused = false;
    let error = null;
    let finished = false;

    const attach = (target, name, listener, flags) => {
      listen(target, name, listener, flags);
      listening.push([target, name, listener, flags]);
    };
    const onEvent = (...args) => {
      if (waiting.length > 0) {
        waiting.shift().resolve({ value: args, done: false });
        return;
      }
      events.push(args);
      if (!paused && events.length - read > high) {
        paused = true;
        emitter.pause();
      }
    };
    const onError = (reason) => {
      if (waiting.length > 0) waiting.shift().reject(reason);
      else error = reason;
      close();
    };
    function close() {
      while (listening.length > 0) unlisten(...listening.pop());
      finished = true;
      while (waiting.length > 0) waiting.shift().resolve({ value: undefined, done: true });
      return Promise.resolve({ value: undefined, done: true });
    }

    attach(emitter, event, onEvent);
    if (event !== 'error' && typeof emitter.on === 'function') attach(emitter, 'error', onError);
    for (const name of options.close ?? []) attach(emitter, name, close);
    if (signal) attach(signal, 'abort', () => onError(abortError(signal.reason)), { once: true });

    return Object.setPrototypeOf({
      next() {
        if (read < events.length) {
          const value = events[read];
          events[read++] = undefined;
          if (read === events.length || read > 1024) {
            events.splice(0, read);
            read = 0;
          }
          if (paused && events.length - read < low) {
            emitter.resume();
            paused = false;
          }
          return Promise.resolve({ value, done: false });
        }
        if (error) {
          const reason = error;
          error = null;
          return Promise.reject(reason);
        }
        if (finished) return close();
        return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
      },
      return() {
        return close();
      },
      throw(reason) {
        if (!reason || !(reason instanceof Error)) throw invalidArgType('EventEmitter.AsyncIterator', 'Error', reason);
        onError(reason);
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    }, AsyncIteratorPrototype);
  }

  function getEventListeners(emitterOrTarget, type) {
    if (typeof emitterOrTarget.listeners === 'function') return emitterOrTarget.listeners(type);
    throw invalidArgType('emitter', 'EventEmitter', emitterOrTarget);
  }

  function setMaxListeners(n = defaultMaxListeners, ...targets) {
    validateNumber(n, 'setMaxListeners', 0);
    if (targets.length === 0) {
      defaultMaxListeners = n;
      return;
    }
    for (const target of targets) {
      if (typeof target?.setMaxListeners === 'function') target.setMaxListeners(n);
      // EventTargets do not count their listeners here: there is no warning to move.
      else if (typeof target?.addEventListener === 'function') target[targetListeners] = n;
      else throw invalidArgType('eventTargets', ['EventEmitter', 'EventTarget'], target);
    }
  }

  function getMaxListeners(target) {
    if (typeof target?.getMaxListeners === 'function') return maxListenersOf(target);
    if (typeof target?.addEventListener === 'function') return target[targetListeners] ?? defaultMaxListeners;
    throw invalidArgType('emitter', ['EventEmitter', 'EventTarget'], target);
  }

  function addAbortListener(signal, listener) {
    if (signal === undefined) throw invalidArgType('signal', 'AbortSignal', signal);
    validateAbortSignal(signal, 'signal');
    validateFunction(listener, 'listener');
    let remove;
    if (signal.aborted) {
      queueMicrotask(() => listener());
    } else {
      signal.addEventListener('abort', listener, { once: true });
      remove = () => signal.removeEventListener('abort', listener);
    }
    return { [Symbol.dispose ?? Symbol.for('nodejs.dispose')]() { remove?.(); } };
  }

  Object.assign(EventEmitter, {
    once, on, getEventListeners, getMaxListeners, addAbortListener, EventEmitter, setMaxListeners,
    usingDomains: false,
    captureRejectionSymbol: rejectionSymbol,
    errorMonitor,
    listenerCount: (emitter, type) => (typeof emitter.listenerCount === 'function'
      ? emitter.listenerCount(type) : apply(proto.listenerCount, emitter, [type])),
  });
  defineProperty(EventEmitter, 'captureRejections', {
    get() { return proto[captureSymbol]; },
    set(value) {
      validateBoolean(value, 'EventEmitter.captureRejections');
      proto[captureSymbol] = value;
    },
    enumerable: true,
    configurable: true,
  });
  defineProperty(EventEmitter, 'defaultMaxListeners', {
    get() { return defaultMaxListeners; },
    set(value) {
      validateNumber(value, 'defaultMaxListeners', 0);
      defaultMaxListeners = value;
    },
    enumerable: true,
    configurable: true,
  });
  return EventEmitter;
})
