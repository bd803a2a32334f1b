// Runs once, before any code of a guest, and makes the clock and the dice come from the host. Functions that a guest
// could replace later are taken here, under names that it cannot reach.
(function (now, random, origin) {
  'use strict';
  const { apply, construct, defineProperty } = Reflect;
  const RealDate = Date;
  const toString = RealDate.prototype.toString;
  const hidden = (target, name, value) =>
    defineProperty(target, name, { value, writable: true, enumerable: false, configurable: true });

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
  const performance = {};
  hidden(performance, 'now', { now() { return now() - origin; } }.now);
  hidden(performance, 'timeOrigin', origin);
  defineProperty(performance, Symbol.toStringTag, { value: 'Performance', configurable: true });
  hidden(globalThis, 'performance', performance);

  // The engine turns the limit into a number whenever it makes an error: of an object, that would run its valueOf.
  const limit = Reflect.getOwnPropertyDescriptor(Error, 'stackTraceLimit');
  defineProperty(Error, 'stackTraceLimit', {
    get: limit.get,
    set(value) { if (typeof value === 'number') apply(limit.set, this, [value]); },
    enumerable: false,
    configurable: false,
  });
  // A replaced prepareStackTrace would run whenever the engine makes an error, also while it ends a script.
  defineProperty(Error, 'prepareStackTrace', { value: undefined, writable: false, enumerable: false, configurable: false });
})
