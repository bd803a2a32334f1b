// structuredClone, without recursion: what is cloned may be nested as deep as the heap allows.
(function (internal) {
  'use strict';
  const { classOf } = internal.natives;
  const { clonePlatformObject, dictionary, domException, getterOf, isObject, listOf, required, string, typeError, uncurry } =
    internal.part('webidl');
  const { defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;
  const keysOf = Object.keys;
  const isView = ArrayBuffer.isView;
  const typedPrototype = Reflect.getPrototypeOf(Uint8Array.prototype);
  const MapHere = Map, SetHere = Set, DateHere = Date, RegExpHere = RegExp, Bytes = Uint8Array;
  const BufferHere = ArrayBuffer, DataViewHere = DataView, ObjectHere = Object;
  const mapGet = uncurry(Map.prototype.get), mapSet = uncurry(Map.prototype.set), mapHas = uncurry(Map.prototype.has);
  const mapEach = uncurry(Map.prototype.forEach), setEach = uncurry(Set.prototype.forEach);
  const indexOf = uncurry(typedPrototype.indexOf);
  const setAdd = uncurry(Set.prototype.add), setBytes = uncurry(Uint8Array.prototype.set);
  const dateValue = uncurry(Date.prototype.getTime);
  const numberOf = uncurry(Number.prototype.valueOf), stringOf = uncurry(String.prototype.valueOf);
  const booleanOf = uncurry(Boolean.prototype.valueOf), bigintOf = uncurry(BigInt.prototype.valueOf);
  const sourceOf = getterOf(RegExp.prototype, 'source');
  const flags = [
    ['d', 'hasIndices'], ['g', 'global'], ['i', 'ignoreCase'], ['m', 'multiline'], ['s', 'dotAll'], ['u', 'unicode'],
    ['v', 'unicodeSets'], ['y', 'sticky'],
  ].map(([letter, name]) => [letter, getterOf(RegExp.prototype, name)]);
  const typed = [
    Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array,
    BigUint64Array, Float16Array, Float32Array, Float64Array,
  ].reduce((table, type) => defineProperty(table, type.name, { value: type }) && table, { __proto__: null });
  const arrayLength = getterOf(typedPrototype, 'length');
  const typedBuffer = getterOf(typedPrototype, 'buffer'), typedOffset = getterOf(typedPrototype, 'byteOffset');
  const dataBuffer = getterOf(DataView.prototype, 'buffer'), dataOffset = getterOf(DataView.prototype, 'byteOffset');
  const dataLength = getterOf(DataView.prototype, 'byteLength');
  const detached = getterOf(BufferHere.prototype, 'detached'), bufferLength = getterOf(BufferHere.prototype, 'byteLength');
  const resizable = getterOf(BufferHere.prototype, 'resizable'), maxLength = getterOf(BufferHere.prototype, 'maxByteLength');
  const resize = uncurry(BufferHere.prototype.resize), transferBuffer = uncurry(BufferHere.prototype.transfer);
  const DOMExceptionHere = DOMException;
  const domName = getterOf(DOMException.prototype, 'name'), domMessage = getterOf(DOMException.prototype, 'message');
  const errors = { __proto__: null, Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
  const symbolText = uncurry(Symbol.prototype.toString);
  const functionText = uncurry(Function.prototype.toString);
  const iteratorSymbol = Symbol.iterator;

  function refuse(value) {
    let shown;
    if (typeof value === 'function') shown = functionText(value);
    else if (typeof value === 'symbol') shown = symbolText(value);
    else shown = `#<${classOf(value)}>`;
    return domException(`${shown} could not be cloned.`, 'DataCloneError');
  }
  const define = (object, key, value) =>
    defineProperty(object, key, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
  const hide = (object, key, value) =>
    defineProperty(object, key, { __proto__: null, value, writable: true, enumerable: false, configurable: true });

  function copyBuffer(buffer) {
    if (detached(buffer)) {
      throw domException('An ArrayBuffer is detached and could not be cloned.', 'DataCloneError');
    }
    const options = resizable(buffer) ? { __proto__: null, maxByteLength: maxLength(buffer) } : undefined;
    const copy = new BufferHere(bufferLength(buffer), options);
    setBytes(new Bytes(copy), new Bytes(buffer));
    return copy;
  }

  function newArray(original) {
    const array = [];
    array.length = getOwnPropertyDescriptor(original, 'length').value;
    return array;
  }

  /** Whether a view has lost its buffer, or the part of it that it is about. */
  function isLost(view) {
    try {
      // The one throws for a view that is lost; the other does unless it is empty, and an empty one is quickly searched.
      if (classOf(view) === 'DataView') dataLength(view);
      else if (arrayLength(view) === 0) indexOf(view, 0);
      return false;
    } catch {
      return true;
    }
  }

  /** Whether the length of a view that is not lost follows its buffer's. */
  function follows(view, buffer, lengthOf, bytesPerItem, offset) {
    if (classOf(buffer) !== 'ArrayBuffer' || !resizable(buffer)) return false;
    const length = lengthOf(view);
    const size = bufferLength(buffer);
    // There is nothing to ask it by but to try. At its largest a buffer can only shrink: then it is taken by its end.
    if (size + bytesPerItem > maxLength(buffer)) return size - (offset + length * bytesPerItem) < bytesPerItem;
    resize(buffer, size + bytesPerItem);
    const grew = lengthOf(view) > length;
    resize(buffer, size);
    return grew;
  }

  /** One call: what has been cloned, and what is still to be looked into. */
  class Cloning {
    // From each original to its clone, or to a `Later`.
    memory = new MapHere();
    // Objects whose contents are to be cloned, the innermost last. A frame is asked until it has nothing left.
    frames = [];
    // What can be made only when the buffers have been moved; `null` when none are.
    late = null;
    // Where clones go, in the order in which they go there: the object, how, the key, the value.
    puts = [];

    /** The clone of a value; what it holds is cloned by `run`. */
    value(value) {
      if (!isObject(value)) {
        if (typeof value === 'symbol') throw refuse(value);
        return value;
      }
      if (mapHas(this.memory, value)) return mapGet(this.memory, value);
      const clone = this.shell(value);
      mapSet(this.memory, value, clone);
      return clone;
    }

    shell(value) {
      if (typeof value === 'function') throw refuse(value);
      const kind = classOf(value);
      switch (kind) {
        case 'Number': return new ObjectHere(numberOf(value));
        case 'String': return new ObjectHere(stringOf(value));
        case 'Boolean': return new ObjectHere(booleanOf(value));
        case 'BigInt': return ObjectHere(bigintOf(value));
        case 'Date': return new DateHere(dateValue(value));
        case 'RegExp': return this.regExp(value);
        case 'ArrayBuffer': return copyBuffer(value);
        case 'DataView': return this.view(value, dataBuffer(value), dataOffset, dataLength, DataViewHere);
        case 'Map': return this.map(value);
        case 'Set': return this.set(value);
        case 'Error': return this.error(value);
        case 'DOMException': return this.domException(value);
        case 'Array': return this.object(value, newArray(value));
        case 'Object':
          return clonePlatformObject(value) ?? this.object(value, {});
        default:
          if (isView(value)) return this.view(value, typedBuffer(value), typedOffset, arrayLength, typed[kind]);
          throw refuse(value);
      }
    }

    regExp(value) {
      let text = '';
      for (let i = 0; i < flags.length; i++) if (flags[i][1](value)) text += flags[i][0];
      return new RegExpHere(sourceOf(value), text);
    }

    view(value, buffer, offsetOf, lengthOf, type) {
      if (isLost(value)) throw refuse(value);
      const offset = offsetOf(value);
      const follow = follows(value, buffer, lengthOf, type.BYTES_PER_ELEMENT ?? 1, offset);
      const length = follow ? undefined : lengthOf(value);
      const copy = this.value(buffer);
      if (!isLater(copy)) return new type(copy, offset, length);
      return this.later(() => new type(made(copy), offset, length));
    }

    later(make) {
      const later = new Later(make);
      this.late[this.late.length] = later;
      return later;
    }

    object(value, clone) {
      const keys = keysOf(value);
      this.frame(keys.length, (i) => {
        // A getter may have taken it away since.
        const own = getOwnPropertyDescriptor(value, keys[i]);
        if (own === undefined || !own.enumerable) return;
        this.put(clone, define, keys[i], this.value(value[keys[i]]));
      });
      return clone;
    }

    map(value) {
      const clone = new MapHere();
      const list = [];
      mapEach(value, (item, key) => {
        list[list.length] = key;
        list[list.length] = item;
      });
      let key;
      this.frame(list.length, (i) => {
        if (i % 2 === 0) key = this.value(list[i]);
        else this.put(clone, mapSet, key, this.value(list[i]));
      });
      return clone;
    }

    set(value) {
      const clone = new SetHere();
      const list = [];
      setEach(value, (item) => {
        list[list.length] = item;
      });
      this.frame(list.length, (i) => this.put(clone, setAdd, this.value(list[i]), undefined));
      return clone;
    }

    error(value) {
      const name = value.name;
      const type = (typeof name === 'string' && errors[name]) || errors.Error;
      const message = getOwnPropertyDescriptor(value, 'message');
      const clone = new type();
      delete clone.message;
      if (message !== undefined && 'value' in message) hide(clone, 'message', string(message.value));
      const stack = value.stack;
      if (typeof stack === 'string') hide(clone, 'stack', stack);
      const cause = getOwnPropertyDescriptor(value, 'cause');
      if (cause !== undefined && 'value' in cause) {
        this.frame(1, () => this.put(clone, hide, 'cause', this.value(cause.value)));
      }
      return clone;
    }

    domException(value) {
      const clone = new DOMExceptionHere(domMessage(value), domName(value));
      const stack = getOwnPropertyDescriptor(value, 'stack');
      if (stack !== undefined && typeof stack.value === 'string') hide(clone, 'stack', stack.value);
      return clone;
    }

    frame(count, step) {
      if (count > 0) this.frames[this.frames.length] = { count, at: 0, step };
    }

    put(clone, how, key, value) {
      if (this.late === null) how(clone, key, value);
      else this.puts[this.puts.length] = { clone, how, key, value };
    }

    run() {
      const frames = this.frames;
      while (frames.length > 0) {
        const frame = frames[frames.length - 1];
        const at = frame.at++;
        if (frame.at >= frame.count) {
          // Done once this step is; what the step opens goes above, and so first.
          frames.length--;
        }
        frame.step(at);
      }
    }

    finish() {
      const { late, puts } = this;
      if (late === null) return;
      for (let i = 0; i < late.length; i++) make(late[i]);
      for (let i = 0; i < puts.length; i++) {
        const { clone, how, key, value } = puts[i];
        how(clone, made(key), made(value));
      }
    }
  }

  /** Stands for a clone that is made when the buffers have been moved. */
  class Later {
    #make;
    #made;
    constructor(make) {
      this.#make = make;
    }
    static is(value) {
      return isObject(value) && #make in value;
    }
    static make(later) {
      later.#made = later.#make();
    }
    static made(value) {
      return Later.is(value) ? value.#made : value;
    }
  }
  const { is: isLater, make, made } = Later;

  function transferList(options) {
    const { transfer } = dictionary(options, 'options');
    if (transfer === undefined) return [];
    const method = isObject(transfer) ? transfer[iteratorSymbol] : undefined;
    if (typeof method !== 'function') {
      throw typeError('The "options.transfer" argument must be a sequence', 'ERR_INVALID_ARG_TYPE');
    }
    const list = listOf(transfer, method);
    for (let i = 0; i < list.length; i++) {
      if (!isObject(list[i])) throw typeError('Found invalid object in transferList', 'ERR_INVALID_TRANSFER_OBJECT');
    }
    return list;
  }

  function structuredClone(value, options = undefined) {
    required(arguments.length, 'value');
    const transfer = transferList(options);
    const cloning = new Cloning();
    if (transfer.length > 0) cloning.late = [];
    for (let i = 0; i < transfer.length; i++) {
      const buffer = transfer[i];
      if (classOf(buffer) !== 'ArrayBuffer') {
        throw domException('Found invalid object in transferList', 'DataCloneError');
      }
      if (mapHas(cloning.memory, buffer)) {
        throw domException('Transfer list contains duplicate ArrayBuffer', 'DataCloneError');
      }
      mapSet(cloning.memory, buffer, cloning.later(() => transferBuffer(buffer)));
    }
    const clone = cloning.value(value);
    cloning.run();
    // Getters may have taken one away meanwhile.
    for (let i = 0; i < transfer.length; i++) {
      if (detached(transfer[i])) {
        throw domException('An ArrayBuffer is detached and could not be cloned.', 'DataCloneError');
      }
    }
    cloning.finish();
    return made(clone);
  }
  Reflect.defineProperty(structuredClone, 'length', { __proto__: null, value: 1, configurable: true });

  return { structuredClone };
})
