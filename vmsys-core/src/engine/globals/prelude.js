// Runs once, before any code of a guest, and makes the clock and the dice come from the host. Functions that a guest
// could replace later are taken here, under names that it cannot reach.
(function (now, random, part, lazy, process, members) {
  'use strict';
  const { apply, construct, defineProperty } = Reflect;
  const RealDate = Date;
  const toString = RealDate.prototype.toString;
  const hidden = (target, name, value) =>
    defineProperty(target, name, { __proto__: null, value, writable: true, enumerable: false, configurable: true });

  function HostDate(...args) {
    if (new.target === undefined) return apply(toString, new RealDate(now()), []);
    return construct(RealDate, args.length === 0 ? [now()] : args, new.target);
  }
  defineProperty(HostDate, 'name', { value: 'Date', configurable: true });
  defineProperty(HostDate, 'length', { value: 7, configurable: true });
  defineProperty(HostDate, 'prototype', { value: RealDate.prototype, writable: false, enumerable: false, configurable: false });
  hidden(HostDate, 'now', { now() { return now(); } }.now);
  hidden(HostDate, 'parse', RealDate.parse);
  hidden(HostDate, 'UTC', RealDate.UTC);
  hidden(RealDate.prototype, 'constructor', HostDate);
  hidden(globalThis, 'Date', HostDate);

  hidden(Math, 'random', { random() { return random(); } }.random);

  const TypeErrorHere = TypeError;
  const missing = () => {
    const error = new TypeErrorHere('The "data" argument must be specified');
    error.code = 'ERR_MISSING_ARGS';
    return error;
  };
  // The engine's own take what is missing for the text "undefined".
  for (const name of ['atob', 'btoa']) {
    const native = globalThis[name];
    const checked = {
      [name](data) {
        if (arguments.length === 0) throw missing();
        return native(data);
      },
    }[name];
    hidden(globalThis, name, checked);
  }

  // What most scripts never touch is made at first touch: a getter that replaces itself.
  const lazily = (target, table, enumerable) => {
    for (let i = 0; i < table.length; i += 3) {
      const [name, from, key] = [table[i], table[i + 1], table[i + 2]];
      const become = (value) =>
        defineProperty(target, name, { __proto__: null, value, writable: true, enumerable, configurable: true });
      defineProperty(target, name, {
        get() {
          const value = part(from)[key];
          become(value);
          return value;
        },
        set: become,
        enumerable,
        configurable: true,
      });
    }
  };
  lazily(globalThis, lazy, false);
  lazily(process, members, true);
  // The one name is Node's, the other that of workers.
  hidden(globalThis, 'global', globalThis);
  hidden(globalThis, 'self', globalThis);

  // Everywhere else a stack begins with the error's name and message, and `console.log(error.stack)` counts on it. What a
  // script has put there itself stays as it is.
  const stack = Reflect.getOwnPropertyDescriptor(Error.prototype, 'stack');
  const errorToString = Error.prototype.toString;
  const startsWith = String.prototype.startsWith;
  defineProperty(Error.prototype, 'stack', {
    get: {
      stack() {
        const calls = apply(stack.get, this, []);
        if (typeof calls !== 'string' || (calls !== '' && !apply(startsWith, calls, ['    at ']))) return calls;
        const header = apply(errorToString, this, []);
        return calls === '' ? header : header + '\n' + calls;
      },
    }.stack,
    set: stack.set,
    enumerable: false,
    configurable: true,
  });

  // Chains of native iterator helpers call each other without looking at the stack, and end the process when it is used
  // up. With a function of JavaScript in between, too long a chain is a RangeError.
  const prototypes = [[].values().map((x) => x), Iterator.from({ next() {} }), Iterator.concat()].map(Object.getPrototypeOf);
  for (const prototype of prototypes) {
    for (const name of ['next', 'return']) {
      if (!Object.hasOwn(prototype, name)) continue;
      const native = prototype[name];
      hidden(prototype, name, { [name]() { return apply(native, this, []); } }[name]);
    }
  }
})
