// What the parts of the web platform share: Web IDL's conversions of arguments, and errors with the standards' names.
(function (internal) {
  'use strict';
  const { classOf } = internal.natives;
  const { apply, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
  const { freeze } = Object;
  const StringHere = String;
  const TypeErrorHere = TypeError;
  const RangeErrorHere = RangeError;
  const DOMExceptionHere = DOMException;
  const iteratorSymbol = Symbol.iterator;
  const tagSymbol = Symbol.toStringTag;
  const call = Function.prototype.call;
  const bind = Function.prototype.bind;
  /** Makes a function of a method: its first argument is what the method is called on. */
  const uncurry = (method) => apply(bind, call, [method]);
  const getterOf = (object, key) => uncurry(getOwnPropertyDescriptor(object, key).get);

  const toWellFormed = uncurry(String.prototype.toWellFormed);
  const typedArrayPrototype = getPrototypeOf(Uint8Array.prototype);
  const IteratorPrototype = getPrototypeOf(getPrototypeOf([][iteratorSymbol]()));
  const Bytes = Uint8Array;
  const viewBuffer = getterOf(typedArrayPrototype, 'buffer');
  const viewOffset = getterOf(typedArrayPrototype, 'byteOffset');
  const viewLength = getterOf(typedArrayPrototype, 'byteLength');
  const dataBuffer = getterOf(DataView.prototype, 'buffer');
  const dataOffset = getterOf(DataView.prototype, 'byteOffset');
  const dataLength = getterOf(DataView.prototype, 'byteLength');
  const isView = ArrayBuffer.isView;
  const bufferDetached = getterOf(ArrayBuffer.prototype, 'detached');

  function coded(error, code) {
    // As Node has it: a plain property that scripts may change.
    error.code = code;
    return error;
  }
  const typeError = (message, code) =>
    code === undefined ? new TypeErrorHere(message) : coded(new TypeErrorHere(message), code);
  const rangeError = (message, code) =>
    code === undefined ? new RangeErrorHere(message) : coded(new RangeErrorHere(message), code);

  const rawStack = getterOf(Error.prototype, 'stack');
  /** A `DOMException` whose stack begins with its name and message, as those of other errors do. */
  function domException(message, name) {
    const error = new DOMExceptionHere(message, name);
    const own = getOwnPropertyDescriptor(error, 'stack');
    const calls = own === undefined ? rawStack(new TypeErrorHere('')) : own.value;
    if (typeof calls === 'string') {
      const value = name + ': ' + message + (calls === '' ? '' : '\n') + calls;
      defineProperty(error, 'stack', { __proto__: null, value, writable: true, enumerable: false, configurable: true });
    }
    return error;
  }

  /** Refuses a call that has too few arguments; names are those of the arguments that there must be. */
  function required(given, ...names) {
    if (given >= names.length) return;
    let list = `"${names[0]}"`;
    for (let i = 1; i < names.length; i++) list += `${i === names.length - 1 ? ' and' : ','} "${names[i]}"`;
    throw typeError(
      `The ${list} argument${names.length === 1 ? '' : 's'} must be specified`,
      'ERR_MISSING_ARGS',
    );
  }

  /** Says what was given instead of what was wanted. */
  function received(value) {
    if (value === null || value === undefined) return `Received ${value}`;
    if (typeof value === 'function') return 'Received a function';
    if (typeof value === 'object') return 'Received an object';
    if (typeof value === 'symbol') return 'Received a symbol';
    return `Received type ${typeof value} (${value})`;
  }
  const wrongType = (name, wanted, value) =>
    typeError(`The "${name}" argument must be ${wanted}. ${received(value)}`, 'ERR_INVALID_ARG_TYPE');

  // No templates where it matters: the engine makes them by calling what a script may have put in the place of `concat`.
  function string(value) {
    if (typeof value === 'string') return value;
    if (typeof value === 'symbol') throw typeError('Cannot convert a Symbol value to a string');
    return StringHere(value);
  }
  const usv = (value) => toWellFormed(string(value));
  const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';

  /** An options argument: what is missing is empty, and what is no object is refused. */
  const empty = freeze({ __proto__: null });
  function dictionary(value, name) {
    if (value === undefined || value === null) return empty;
    if (!isObject(value)) throw wrongType(name, 'of type object', value);
    return value;
  }

  /** The values of an iterable as an array of ours; its method was read by the caller. */
  function listOf(iterable, method, most) {
    const iterator = apply(method, iterable, []);
    if (!isObject(iterator)) throw typeError('The iterator is not an object');
    const next = iterator.next;
    const list = [];
    for (;;) {
      const result = apply(next, iterator, []);
      if (!isObject(result)) throw typeError('The iterator result is not an object');
      if (result.done) return list;
      list[list.length] = result.value;
      // What asks for a pair needs no more than three values to see that it has none.
      if (list.length === most) {
        const close = iterator.return;
        if (close !== undefined && close !== null) apply(close, iterator, []);
        return list;
      }
    }
  }

  /** The bytes of a buffer or of a view, as a view of ours over the same memory; `undefined` for everything else. */
  function bytesOf(source) {
    const kind = isObject(source) ? classOf(source) : '';
    if (kind === 'ArrayBuffer') return bufferDetached(source) ? new Bytes(0) : new Bytes(source);
    // Copied: what decodes and digests must not see the memory of others change.
    if (kind === 'SharedArrayBuffer') return new Bytes(new Bytes(source));
    if (kind === 'DataView') {
      const buffer = dataBuffer(source);
      if (classOf(buffer) === 'ArrayBuffer' && bufferDetached(buffer)) return new Bytes(0);
      return over(buffer, dataOffset(source), dataLength(source));
    }
    if (isView(source)) {
      const buffer = viewBuffer(source);
      if (classOf(buffer) === 'ArrayBuffer' && bufferDetached(buffer)) return new Bytes(0);
      return over(buffer, viewOffset(source), viewLength(source));
    }
    return undefined;
  }
  function over(buffer, offset, length) {
    const bytes = new Bytes(buffer, offset, length);
    return classOf(buffer) === 'SharedArrayBuffer' ? new Bytes(bytes) : bytes;
  }

  /** Gives a class the shape of a Web IDL interface: members that can be listed, and a tag. */
  function expose(constructor, tag) {
    const prototype = constructor.prototype;
    enumerate(prototype);
    enumerate(constructor);
    defineProperty(prototype, tagSymbol, { __proto__: null, value: tag, configurable: true });
    return constructor;
  }
  function enumerate(object) {
    const keys = ownKeys(object);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      if (typeof key === 'symbol' || key === 'constructor' || key === 'prototype' || key === 'name' || key === 'length') {
        continue;
      }
      defineProperty(object, key, { __proto__: null, enumerable: true });
    }
  }

  /** A read-only number on a class and on its prototype, as `Event.AT_TARGET`. */
  function constants(constructor, table) {
    const keys = ownKeys(table);
    for (let i = 0; i < keys.length; i++) {
      const descriptor = { __proto__: null, value: table[keys[i]], enumerable: true };
      defineProperty(constructor, keys[i], descriptor);
      defineProperty(constructor.prototype, keys[i], descriptor);
    }
  }

  /**
   * Gives a class the methods of a Web IDL iterable of pairs. `size` tells how many pairs there are now, `key` and
   * `value` read one: what is iterated may change on the way.
   */
  function iterable(constructor, tag, size, key, value) {
    class PairIterator {
      #list;
      #kind;
      #at = 0;
      constructor(list, kind) {
        this.#list = list;
        this.#kind = kind;
      }
      next() {
        const list = this.#list;
        const at = this.#at;
        if (at >= size(list)) return { value: undefined, done: true };
        this.#at = at + 1;
        if (this.#kind === 'keys') return { value: key(list, at), done: false };
        if (this.#kind === 'values') return { value: value(list, at), done: false };
        return { value: [key(list, at), value(list, at)], done: false };
      }
    }
    const prototype = PairIterator.prototype;
    delete prototype.constructor;
    Reflect.setPrototypeOf(prototype, IteratorPrototype);
    defineProperty(prototype, 'next', { __proto__: null, enumerable: true });
    defineProperty(prototype, tagSymbol, { __proto__: null, value: tag + ' Iterator', configurable: true });
    const methods = {
      entries() {
        size(this);
        return new PairIterator(this, 'entries');
      },
      forEach(callback, thisArg = undefined) {
        size(this);
        required(arguments.length, 'callback');
        if (typeof callback !== 'function') throw wrongType('callback', 'of type function', callback);
        for (let i = 0; i < size(this); i++) apply(callback, thisArg, [value(this, i), key(this, i), this]);
      },
      keys() {
        size(this);
        return new PairIterator(this, 'keys');
      },
      values() {
        size(this);
        return new PairIterator(this, 'values');
      },
    };
    const names = ['entries', 'forEach', 'keys', 'values'];
    for (let i = 0; i < names.length; i++) {
      const method = { __proto__: null, value: methods[names[i]], writable: true, enumerable: true, configurable: true };
      defineProperty(constructor.prototype, names[i], method);
    }
    const entries = { __proto__: null, value: methods.entries, writable: true, enumerable: false, configurable: true };
    defineProperty(constructor.prototype, iteratorSymbol, entries);
  }

  // What structuredClone asks. Each class of the platform, once it is there, adds a function that tells its objects: what
  // comes back is a clone, or true where there can be none.
  const platform = [];
  function clonePlatformObject(value) {
    for (let i = 0; i < platform.length; i++) {
      const answer = platform[i](value);
      if (answer === true) throw domException('An object of the platform could not be cloned.', 'DataCloneError');
      if (answer !== false) return answer;
    }
    return undefined;
  }

  // Sets a key in a list of keys and values, one after the other: its first value is replaced, further ones go.
  function setPair(list, key, value) {
    let kept = 0;
    let found = false;
    for (let i = 0; i < list.length; i += 2) {
      const same = list[i] === key;
      if (same && found) continue;
      list[kept] = list[i];
      list[kept + 1] = same ? value : list[i + 1];
      found ||= same;
      kept += 2;
    }
    list.length = kept;
    if (!found) {
      list[kept] = key;
      list[kept + 1] = value;
    }
  }

  return {
    bytesOf, clonePlatformObject, coded, constants, dictionary, domException, expose, getterOf, isObject, iterable,
    listOf, platform, rangeError, required, setPair, string, typeError, uncurry, usv, viewLength, wrongType,
  };
})
