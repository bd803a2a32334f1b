// `Buffer`, and the `buffer` module: bytes as a subclass of Uint8Array. What goes over many bytes is native.
(function (internal) {
  'use strict';
  const { apply, defineProperty, getPrototypeOf, setPrototypeOf } = Reflect;
  const { isArray } = Array;
  const { isInteger, isNaN } = Number;
  const { floor, trunc } = Math;
  const {
    bufferByteLength, bufferCompare, bufferFromString, bufferIndexOf, bufferIsAscii, bufferIsUtf8, bufferSwap,
    bufferToString, bufferWrite,
  } = internal.natives;
  const { invalidArgType, invalidArgValue, make, outOfRange, validateArray, validateInteger, validateNumber,
    validateString } = internal.part('node_errors');
  const { isAnyArrayBuffer, isArrayBufferView, isTypedArray, isUint8Array } = internal.part('util_types');

  const typed = getPrototypeOf(Uint8Array.prototype);
  const getter = (name) => Reflect.getOwnPropertyDescriptor(typed, name).get;
  const [lengthOf, bufferOf, offsetOf] = [getter('length'), getter('buffer'), getter('byteOffset')];
  const { set: copyInto, fill: fillWith, copyWithin, slice: sliceTyped } = typed;

  // The longest that can be asked for: Node's limits on a 64-bit machine. Long before that the memory limit is reached.
  const MAX_LENGTH = 2 ** 32;
  const MAX_STRING_LENGTH = 2 ** 29 - 24;

  const outOfBounds = (name) => make(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS',
    name ? `"${name}" is outside of buffer bounds` : 'Attempt to access memory outside buffer bounds');
  const unknownEncoding = (encoding) => make(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`);
  const notString = () => make(TypeError, 'ERR_INVALID_ARG_TYPE', 'argument must be a string');
  const validateOffset = (value, name, min = 0, max = MAX_LENGTH) => validateInteger(value, name, min, max);

  class FastBuffer extends Uint8Array {}

  function Buffer(value, encodingOrOffset, length) {
    if (typeof value === 'number') {
      if (typeof encodingOrOffset === 'string') throw invalidArgType('string', 'string', value);
      return Buffer.alloc(value);
    }
    return Buffer.from(value, encodingOrOffset, length);
  }
  defineProperty(Buffer, 'prototype', { value: FastBuffer.prototype, writable: false, enumerable: false });
  defineProperty(FastBuffer.prototype, 'constructor', {
    value: Buffer, writable: true, enumerable: false, configurable: true,
  });
  setPrototypeOf(Buffer, Uint8Array);
  defineProperty(Buffer, Symbol.species, { get() { return FastBuffer; }, enumerable: false, configurable: true });
  Buffer.poolSize = 8 * 1024;

  // Encodings

  const ENCODINGS = new Map([
    ['utf8', 'utf8'], ['utf-8', 'utf8'], ['hex', 'hex'], ['base64', 'base64'], ['base64url', 'base64url'],
    ['latin1', 'latin1'], ['binary', 'latin1'], ['ascii', 'ascii'],
    ['utf16le', 'utf16le'], ['utf-16le', 'utf16le'], ['ucs2', 'utf16le'], ['ucs-2', 'utf16le'],
  ]);

  function encodingOf(name) {
    return ENCODINGS.get(name) ?? ENCODINGS.get(`${name}`.toLowerCase());
  }

  function knownEncoding(name) {
    const encoding = encodingOf(name);
    if (encoding === undefined) throw unknownEncoding(name);
    return encoding;
  }

  function byteLength(value, encoding) {
    if (typeof value !== 'string') {
      if (isArrayBufferView(value) || isAnyArrayBuffer(value)) return value.byteLength;
      throw invalidArgType('string', ['string', 'Buffer', 'ArrayBuffer'], value);
    }
    switch (encoding ? encodingOf(encoding) : 'utf8') {
      case 'ascii':
      case 'latin1': return value.length;
      case 'utf16le': return value.length * 2;
      case 'hex': return value.length >>> 1;
      case 'base64':
      case 'base64url': {
        let length = value.length;
        if (value.charCodeAt(length - 1) === 0x3d) length--;
        if (length > 1 && value.charCodeAt(length - 1) === 0x3d) length--;
        return floor(length * 3 / 4);
      }
      default: return bufferByteLength(value);
    }
  }

  // Making them

  function fromString(string, encoding) {
    const known = (!encoding || typeof encoding !== 'string') ? 'utf8' : knownEncoding(encoding);
    return string.length === 0 ? new FastBuffer() : new FastBuffer(bufferFromString(string, known));
  }

  function fromArrayBuffer(buffer, offset, length) {
    offset = offset === undefined ? 0 : +offset;
    if (isNaN(offset)) offset = 0;
    const most = buffer.byteLength - offset;
    if (most < 0) throw outOfBounds('offset');
    if (length === undefined) return new FastBuffer(buffer, offset, most);
    length = +length;
    if (length > most) throw outOfBounds('length');
    return new FastBuffer(buffer, offset, length > 0 ? length : 0);
  }

  function fromArrayLike(value) {
    const { length } = value;
    if (!(length > 0)) return new FastBuffer();
    // The memory first: a length that lies is found out before anything is read.
    const buffer = new FastBuffer(length);
    apply(copyInto, buffer, [value]);
    return buffer;
  }

  function fromObject(value) {
    if (value.length !== undefined || isAnyArrayBuffer(value.buffer)) {
      return typeof value.length === 'number' ? fromArrayLike(value) : new FastBuffer();
    }
    if (value.type === 'Buffer' && isArray(value.data)) return fromArrayLike(value.data);
    return undefined;
  }

  Buffer.from = function from(value, encodingOrOffset, length) {
    if (typeof value === 'string') return fromString(value, encodingOrOffset);
    if (typeof value === 'object' && value !== null) {
      if (isAnyArrayBuffer(value)) return fromArrayBuffer(value, encodingOrOffset, length);
      const inner = value.valueOf && value.valueOf();
      if (inner != null && inner !== value && (typeof inner === 'string' || typeof inner === 'object')) {
        return from(inner, encodingOrOffset, length);
      }
      const made = fromObject(value);
      if (made) return made;
      if (typeof value[Symbol.toPrimitive] === 'function') {
        const primitive = value[Symbol.toPrimitive]('string');
        if (typeof primitive === 'string') return fromString(primitive, encodingOrOffset);
      }
    }
    throw invalidArgType('first argument', ['string', 'Buffer', 'ArrayBuffer', 'Array', 'Array-like Object'], value);
  };

  Buffer.copyBytesFrom = function copyBytesFrom(view, offset, length) {
    if (!isTypedArray(view)) throw invalidArgType('view', ['TypedArray'], view);
    const viewLength = apply(lengthOf, view, []);
    if (viewLength === 0) return new FastBuffer();
    if (offset !== undefined || length !== undefined) {
      if (offset !== undefined) {
        validateInteger(offset, 'offset', 0);
        if (offset >= viewLength) return new FastBuffer();
      } else {
        offset = 0;
      }
      let end = viewLength;
      if (length !== undefined) {
        validateInteger(length, 'length', 0);
        end = offset + length;
      }
      view = apply(sliceTyped, view, [offset, end]);
    }
    return new FastBuffer(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  };

  Buffer.of = (...items) => new FastBuffer(items);

  Buffer.alloc = function alloc(size, fill, encoding) {
    validateNumber(size, 'size', 0, MAX_LENGTH);
    const buffer = new FastBuffer(size);
    return fill !== undefined && fill !== 0 && size > 0 ? fillBuffer(buffer, fill, 0, buffer.length, encoding) : buffer;
  };

  // Memory that somebody used before is never handed out: both are `alloc`.
  Buffer.allocUnsafe = function allocUnsafe(size) {
    validateNumber(size, 'size', 0, MAX_LENGTH);
    return new FastBuffer(size);
  };

  Buffer.allocUnsafeSlow = function allocUnsafeSlow(size) {
    validateNumber(size, 'size', 0, MAX_LENGTH);
    return new FastBuffer(size);
  };

  function SlowBuffer(size) {
    validateNumber(size, 'size', 0, MAX_LENGTH);
    return new FastBuffer(size);
  }
  setPrototypeOf(SlowBuffer.prototype, Uint8Array.prototype);
  setPrototypeOf(SlowBuffer, Uint8Array);

  Buffer.isBuffer = function isBuffer(value) {
    return value instanceof Buffer;
  };

  Buffer.isEncoding = function isEncoding(encoding) {
    return typeof encoding === 'string' && encoding.length !== 0 && encodingOf(encoding) !== undefined;
  };

  Buffer.byteLength = byteLength;

  Buffer.compare = function compare(buf1, buf2) {
    if (!isUint8Array(buf1)) throw invalidArgType('buf1', ['Buffer', 'Uint8Array'], buf1);
    if (!isUint8Array(buf2)) throw invalidArgType('buf2', ['Buffer', 'Uint8Array'], buf2);
    return bufferCompare(buf1, buf2);
  };

  Buffer.concat = function concat(list, length) {
    validateArray(list, 'list');
    if (list.length === 0) return new FastBuffer();
    if (length === undefined) {
      length = 0;
      for (let i = 0; i < list.length; i++) {
        if (list[i].length) length += list[i].length;
      }
    } else {
      validateOffset(length, 'length');
    }
    const buffer = new FastBuffer(length);
    let at = 0;
    for (let i = 0; i < list.length; i++) {
      const part = list[i];
      if (!isUint8Array(part)) throw invalidArgType(`list[${i}]`, ['Buffer', 'Uint8Array'], part);
      at += copyActual(part, buffer, at, 0, part.length);
    }
    return buffer;
  };

  // Copying

  function toInteger(value, otherwise) {
    value = +value;
    return Number.isSafeInteger(floor(value)) ? floor(value) : otherwise;
  }

  function copyActual(source, target, targetStart, sourceStart, sourceEnd) {
    const room = target.length - targetStart;
    const count = Math.min(sourceEnd - sourceStart, room, source.length - sourceStart);
    if (count <= 0) return 0;
    const bytes = sourceStart === 0 && count === source.length
      ? source : new Uint8Array(source.buffer, source.byteOffset + sourceStart, count);
    apply(copyInto, target, [bytes, targetStart]);
    return count;
  }

  function copy(target, targetStart, sourceStart, sourceEnd) {
    if (!isUint8Array(this)) throw invalidArgType('source', ['Buffer', 'Uint8Array'], this);
    if (!isUint8Array(target)) throw invalidArgType('target', ['Buffer', 'Uint8Array'], target);
    targetStart = targetStart === undefined ? 0 : isInteger(targetStart) ? targetStart : toInteger(targetStart, 0);
    if (targetStart < 0) throw outOfRange('targetStart', '>= 0', targetStart);
    sourceStart = sourceStart === undefined ? 0 : isInteger(sourceStart) ? sourceStart : toInteger(sourceStart, 0);
    if (sourceStart < 0 || sourceStart > this.length) {
      throw outOfRange('sourceStart', `>= 0 && <= ${this.length}`, sourceStart);
    }
    sourceEnd = sourceEnd === undefined ? this.length : isInteger(sourceEnd) ? sourceEnd : toInteger(sourceEnd, 0);
    if (sourceEnd < 0) throw outOfRange('sourceEnd', '>= 0', sourceEnd);
    if (targetStart >= target.length || sourceStart >= sourceEnd) return 0;
    return copyActual(this, target, targetStart, sourceStart, sourceEnd);
  }

  function adjust(offset, length) {
    offset = trunc(offset);
    if (offset === 0 || isNaN(offset)) return 0;
    if (offset < 0) return Math.max(offset + length, 0);
    return Math.min(offset, length);
  }

  function subarray(start, end) {
    const { length } = this;
    start = adjust(start, length);
    end = end === undefined ? length : adjust(end, length);
    return new FastBuffer(this.buffer, this.byteOffset + start, Math.max(end - start, 0));
  }

  // Text

  function toString(encoding, start, end) {
    if (arguments.length === 0) return bufferToString(this, 'utf8', 0, this.length);
    const { length } = this;
    if (start <= 0) start = 0;
    else if (start >= length) return '';
    else start = trunc(start) || 0;
    end = end === undefined || end > length ? length : trunc(end) || 0;
    if (end <= start) return '';
    return bufferToString(this, encoding === undefined ? 'utf8' : knownEncoding(encoding), start, end);
  }

  function write(string, offset, length, encoding) {
    if (offset === undefined) {
      [offset, length] = [0, this.length];
    } else if (length === undefined && typeof offset === 'string') {
      [encoding, offset, length] = [offset, 0, this.length];
    } else {
      validateOffset(offset, 'offset', 0, this.length);
      const remaining = this.length - offset;
      if (length === undefined) {
        length = remaining;
      } else if (typeof length === 'string') {
        [encoding, length] = [length, remaining];
      } else {
        validateOffset(length, 'length', 0, this.length);
        if (length > remaining) length = remaining;
      }
    }
    const known = encoding ? knownEncoding(encoding) : 'utf8';
    if (typeof string !== 'string') throw notString();
    return bufferWrite(this, string, known, offset, length);
  }

  function toJSON() {
    return { type: 'Buffer', data: Array.from(this) };
  }

  // Comparing and finding

  function equals(otherBuffer) {
    if (!isUint8Array(otherBuffer)) throw invalidArgType('otherBuffer', ['Buffer', 'Uint8Array'], otherBuffer);
    return bufferCompare(this, otherBuffer) === 0;
  }

  function compare(target, targetStart, targetEnd, sourceStart, sourceEnd) {
    if (!isUint8Array(target)) throw invalidArgType('target', ['Buffer', 'Uint8Array'], target);
    if (arguments.length === 1) return bufferCompare(this, target);
    if (targetStart === undefined) targetStart = 0;
    else validateOffset(targetStart, 'targetStart');
    if (targetEnd === undefined) targetEnd = target.length;
    else validateOffset(targetEnd, 'targetEnd', 0, target.length);
    if (sourceStart === undefined) sourceStart = 0;
    else validateOffset(sourceStart, 'sourceStart');
    if (sourceEnd === undefined) sourceEnd = this.length;
    else validateOffset(sourceEnd, 'sourceEnd', 0, this.length);
    if (sourceStart >= sourceEnd) return targetStart >= targetEnd ? 0 : -1;
    if (targetStart >= targetEnd) return 1;
    return bufferCompare(apply(subarray, this, [sourceStart, sourceEnd]), apply(subarray, target, [targetStart, targetEnd]));
  }

  function find(buffer, value, offset, encoding, forward) {
    if (!isArrayBufferView(buffer)) throw invalidArgType('buffer', ['Buffer', 'TypedArray', 'DataView'], buffer);
    if (typeof offset === 'string') [encoding, offset] = [offset, undefined];
    offset = +(offset > 0x7fffffff ? 0x7fffffff : offset < -0x80000000 ? -0x80000000 : offset);
    const bytes = isUint8Array(buffer) ? buffer : new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    if (isNaN(offset)) offset = forward ? 0 : bytes.length;
    let needle = value;
    let step = 1;
    if (typeof value === 'number') {
      needle = Uint8Array.of(value >>> 0);
    } else if (typeof value === 'string') {
      const known = encoding === undefined ? 'utf8' : knownEncoding(encoding);
      needle = new Uint8Array(bufferFromString(value, known));
      if (known === 'utf16le') step = 2;
    } else if (isUint8Array(value)) {
      if (encoding !== undefined && encodingOf(encoding) === 'utf16le') step = 2;
    } else {
      throw invalidArgType('value', ['number', 'string', 'Buffer', 'Uint8Array'], value);
    }
    return bufferIndexOf(bytes, needle, trunc(offset), step, forward);
  }

  function indexOf(value, byteOffset, encoding) {
    return find(this, value, byteOffset, encoding, true);
  }

  function lastIndexOf(value, byteOffset, encoding) {
    return find(this, value, byteOffset, encoding, false);
  }

  function includes(value, byteOffset, encoding) {
    return this.indexOf(value, byteOffset, encoding) !== -1;
  }

  // Filling and swapping

  function fill(value, offset, end, encoding) {
    return fillBuffer(this, value, offset, end, encoding);
  }

  function fillBuffer(buffer, value, offset, end, encoding) {
    let known = 'utf8';
    if (typeof value === 'string') {
      if (offset === undefined || typeof offset === 'string') [encoding, offset, end] = [offset, 0, buffer.length];
      else if (typeof end === 'string') [encoding, end] = [end, buffer.length];
      if (encoding !== undefined && encoding !== null && encoding !== '') {
        known = encodingOf(encoding);
        if (known === undefined) {
          validateString(encoding, 'encoding');
          throw unknownEncoding(encoding);
        }
      }
      if (value.length === 0) value = 0;
    }
    if (offset === undefined) {
      offset = 0;
      end = buffer.length;
    } else {
      validateOffset(offset, 'offset');
      if (end === undefined) end = buffer.length;
      else validateOffset(end, 'end', 0, buffer.length);
      if (offset >= end) return buffer;
    }
    if (typeof value !== 'string' && !isUint8Array(value)) {
      // As in Node, anything else counts as a number.
      apply(fillWith, buffer, [typeof value === 'boolean' ? +value : value & 255, offset, end]);
      return buffer;
    }
    const pattern = typeof value === 'string' ? new Uint8Array(bufferFromString(value, known)) : value;
    if (pattern.length === 0) throw invalidArgValue('value', value);
    // What is filled already is copied behind itself, twice as much each time.
    let filled = copyActual(pattern, buffer, offset, 0, Math.min(pattern.length, end - offset));
    while (filled < end - offset) {
      const count = Math.min(filled, end - offset - filled);
      apply(copyWithin, buffer, [offset + filled, offset, offset + count]);
      filled += count;
    }
    return buffer;
  }

  function swap(buffer, size) {
    if (buffer.length % size !== 0) {
      throw make(RangeError, 'ERR_INVALID_BUFFER_SIZE', `Buffer size must be a multiple of ${size * 8}-bits`);
    }
    bufferSwap(buffer, size);
    return buffer;
  }

  // Numbers

  function boundsError(value, length, type) {
    if (floor(value) !== value) {
      validateNumber(value, type);
      throw outOfRange(type || 'offset', 'an integer', value);
    }
    if (length < 0) throw outOfBounds();
    throw outOfRange(type || 'offset', `>= ${type ? 1 : 0} and <= ${length}`, value);
  }

  function checkBounds(buffer, offset, size) {
    validateNumber(offset, 'offset');
    if (buffer[offset] === undefined || buffer[offset + size - 1] === undefined) boundsError(offset, buffer.length - size);
  }

  function readLE(buffer, offset, size) {
    checkBounds(buffer, offset, size);
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + buffer[offset + i];
    return value;
  }

  function readBE(buffer, offset, size) {
    checkBounds(buffer, offset, size);
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + buffer[offset + i];
    return value;
  }

  const signed = (value, size) => (value >= UNSIGNED[size] / 2 ? value - UNSIGNED[size] : value);

  function checkInt(value, min, max, size) {
    if (value <= max && value >= min) return;
    // Not a number is written as zero.
    if (value !== value) return;
    const n = typeof min === 'bigint' ? 'n' : '';
    let range = `>= ${min}${n} and <= ${max}${n}`;
    if (size > 4) {
      range = min == 0 ? `>= 0${n} and < 2${n} ** ${size * 8}${n}`
        : `>= -(2${n} ** ${size * 8 - 1}${n}) and < 2${n} ** ${size * 8 - 1}${n}`;
    }
    throw outOfRange('value', range, value);
  }

  const UNSIGNED = [0, 1, 2, 3, 4, 5, 6].map((size) => 2 ** (8 * size));

  function writeInt(buffer, value, offset, size, isSigned, isLittle) {
    value = +value;
    if (size === 1) validateNumber(offset, 'offset');
    const range = UNSIGNED[size];
    checkInt(value, isSigned ? -range / 2 : 0, (isSigned ? range / 2 : range) - 1, size);
    checkBounds(buffer, offset, size);
    value = trunc(value);
    for (let i = 0; i < size; i++) {
      buffer[isLittle ? offset + i : offset + size - 1 - i] = value;
      value = size <= 4 ? value >>> 8 : floor(value / 256);
    }
    return offset + size;
  }

  function checkSize(offset, size) {
    if (offset === undefined) throw invalidArgType('offset', 'number', offset);
    if (!(isInteger(size) && size >= 1 && size <= 6)) boundsError(size, 6, 'byteLength');
  }

  const scratch = new DataView(new ArrayBuffer(8));
  const scratchBytes = new Uint8Array(scratch.buffer);

  const methods = {
    toString, toJSON, equals, compare, indexOf, lastIndexOf, includes, fill, copy, write, subarray,
    toLocaleString: toString,
    slice(start, end) { return this.subarray(start, end); },
    swap16() { return swap(this, 2); },
    swap32() { return swap(this, 4); },
    swap64() { return swap(this, 8); },
    inspect() { return internal.part('util').inspect(this); },
    readUIntLE(offset, byteLength) { checkSize(offset, byteLength); return readLE(this, offset, byteLength); },
    readUIntBE(offset, byteLength) { checkSize(offset, byteLength); return readBE(this, offset, byteLength); },
    readIntLE(offset, byteLength) { checkSize(offset, byteLength); return signed(readLE(this, offset, byteLength), byteLength); },
    readIntBE(offset, byteLength) { checkSize(offset, byteLength); return signed(readBE(this, offset, byteLength), byteLength); },
    readUInt8(offset = 0) { return readLE(this, offset, 1); },
    readInt8(offset = 0) { return signed(readLE(this, offset, 1), 1); },
    writeUInt8(value, offset = 0) { return writeInt(this, value, offset, 1, false, true); },
    writeInt8(value, offset = 0) { return writeInt(this, value, offset, 1, true, true); },
  };
  for (const [end, isLittle, read] of [['LE', true, readLE], ['BE', false, readBE]]) {
    for (const bits of [16, 32]) {
      const size = bits / 8;
      methods[`readUInt${bits}${end}`] = function (offset = 0) { return read(this, offset, size); };
      methods[`readInt${bits}${end}`] = function (offset = 0) { return signed(read(this, offset, size), size); };
      methods[`writeUInt${bits}${end}`] = function (value, offset = 0) {
        return writeInt(this, value, offset, size, false, isLittle);
      };
      methods[`writeInt${bits}${end}`] = function (value, offset = 0) {
        return writeInt(this, value, offset, size, true, isLittle);
      };
    }
    methods[`writeUInt${end}`] = function (value, offset, byteLength) {
      checkSize(offset, byteLength);
      return writeInt(this, value, offset, byteLength, false, isLittle);
    };
    methods[`writeInt${end}`] = function (value, offset, byteLength) {
      checkSize(offset, byteLength);
      return writeInt(this, value, offset, byteLength, true, isLittle);
    };
    // The rest is the engine's own reading of numbers, over eight bytes that are copied there and back.
    const wide = [
      ['Float', 'Float32', 4], ['Double', 'Float64', 8], ['BigInt64', 'BigInt64', 8], ['BigUInt64', 'BigUint64', 8],
    ];
    for (const [name, kind, size] of wide) {
      const [get, set] = [scratch[`get${kind}`], scratch[`set${kind}`]];
      const [min, max] = name === 'BigInt64' ? [-(2n ** 63n), 2n ** 63n - 1n] : [0n, 2n ** 64n - 1n];
      methods[`read${name}${end}`] = function (offset = 0) {
        checkBounds(this, offset, size);
        for (let i = 0; i < size; i++) scratchBytes[i] = this[offset + i];
        return apply(get, scratch, [0, isLittle]);
      };
      methods[`write${name}${end}`] = function (value, offset = 0) {
        if (kind === name || name === 'BigUInt64') checkInt(value, min, max, size);
        else value = +value;
        checkBounds(this, offset, size);
        apply(set, scratch, [0, value, isLittle]);
        for (let i = 0; i < size; i++) this[offset + i] = scratchBytes[i];
        return offset + size;
      };
    }
  }
  for (const [name, encoding] of [['utf8', 'utf8'], ['ucs2', 'utf16le'], ['latin1', 'latin1'], ['ascii', 'ascii'],
    ['hex', 'hex'], ['base64', 'base64'], ['base64url', 'base64url']]) {
    methods[`${name}Slice`] = function (start = 0, end = this.length) {
      return bufferToString(this, encoding, start, Math.min(end, this.length));
    };
    methods[`${name}Write`] = function (string, offset = 0, length = this.length - offset) {
      if (typeof string !== 'string') throw notString();
      return bufferWrite(this, string, encoding, offset, length);
    };
  }
  for (const name of Object.keys(methods)) {
    const value = methods[name];
    // A function that was not written under its name.
    if (value.name === '') defineProperty(value, 'name', { value: name, configurable: true });
    const names = name.includes('UInt') ? [name, name.replace('UInt', 'Uint')] : [name];
    for (const each of names) {
      defineProperty(FastBuffer.prototype, each, { value, writable: true, enumerable: false, configurable: true });
    }
  }
  for (const [name, of] of [['parent', bufferOf], ['offset', offsetOf]]) {
    defineProperty(FastBuffer.prototype, name, {
      get() { return this instanceof Buffer ? apply(of, this, []) : undefined; },
      enumerable: true,
      configurable: true,
    });
  }

  // The module

  function bytesOf(value) {
    if (isAnyArrayBuffer(value)) return new Uint8Array(value);
    if (isUint8Array(value)) return value;
    if (isTypedArray(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    throw invalidArgType('input', ['ArrayBuffer', 'Buffer', 'TypedArray'], value);
  }

  function transcode(source, fromEncoding, toEncoding) {
    if (!isUint8Array(source)) throw invalidArgType('source', ['Buffer', 'Uint8Array'], source);
    const [from, to] = [encodingOf(fromEncoding), encodingOf(toEncoding)];
    const isText = (encoding) => ['utf8', 'utf16le', 'latin1', 'ascii'].includes(encoding);
    if (!isText(from) || !isText(to)) {
      const error = new Error('Unable to transcode Buffer [U_ILLEGAL_ARGUMENT_ERROR]');
      error.code = 'U_ILLEGAL_ARGUMENT_ERROR';
      throw error;
    }
    const text = bufferToString(source, from, 0, source.length);
    if (to === 'utf8' || to === 'utf16le') return fromString(text, to);
    const last = to === 'ascii' ? 0x7f : 0xff;
    return FastBuffer.from(text, (char) => (char.codePointAt(0) <= last ? char.codePointAt(0) : 0x3f));
  }

  const module = {
    Buffer,
    SlowBuffer,
    transcode,
    isUtf8: (input) => bufferIsUtf8(bytesOf(input)),
    isAscii: (input) => bufferIsAscii(bytesOf(input)),
    kMaxLength: MAX_LENGTH,
    kStringMaxLength: MAX_STRING_LENGTH,
    constants: Object.defineProperties({}, {
      MAX_LENGTH: { value: MAX_LENGTH, writable: false, enumerable: true },
      MAX_STRING_LENGTH: { value: MAX_STRING_LENGTH, writable: false, enumerable: true },
    }),
    btoa: globalThis.btoa,
    atob: globalThis.atob,
  };
  // The inspector's own limit: it can be read, and to assign another is an error in strict code.
  defineProperty(module, 'INSPECT_MAX_BYTES', { value: 50, writable: false, enumerable: true, configurable: false });
  return module;
})
