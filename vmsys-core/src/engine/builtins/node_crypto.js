// `crypto`: random bytes, digests (SHA-1 and SHA-2) and their HMACs. Ciphers, keys and signatures are not there.
(function (internal) {
  'use strict';
  const { digest: digestOf, randomBytes: nativeRandom } = internal.natives;
  const { invalidArgType, make, outOfRange, validateFunction, validateNumber, validateString } =
    internal.part('node_errors');
  const { Buffer } = internal.part('buffer');
  const { isAnyArrayBuffer, isArrayBufferView } = internal.part('util_types');
  const { crypto: webcrypto } = internal.part('crypto');
  const { setImmediate } = internal.part('timers');

  // What the realm's generator gives at once.
  const CHUNK = 65536;
  const MAX_SIZE = 2 ** 31 - 1;

  const bytesOf = (value) => (isAnyArrayBuffer(value) ? new Uint8Array(value)
    : new Uint8Array(value.buffer, value.byteOffset, value.byteLength));

  function fillRandom(bytes) {
    for (let at = 0; at < bytes.length; at += CHUNK) bytes.set(nativeRandom(Math.min(CHUNK, bytes.length - at)), at);
  }

  // Answers at once, or through a callback later.
  function answer(callback, make) {
    if (callback === undefined) return make();
    validateFunction(callback, 'callback');
    const made = make();
    setImmediate(() => callback(null, made));
    return undefined;
  }

  function randomBytes(size, callback) {
    validateNumber(size, 'size', 0, MAX_SIZE);
    return answer(callback, () => {
      const bytes = Buffer.alloc(size);
      fillRandom(bytes);
      return bytes;
    });
  }

  function randomFillSync(buffer, offset = 0, size = undefined) {
    if (!isAnyArrayBuffer(buffer) && !isArrayBufferView(buffer)) {
      throw invalidArgType('buf', ['ArrayBuffer', 'ArrayBufferView'], buffer);
    }
    const bytes = bytesOf(buffer);
    // Both count elements, as in Node.
    const unit = buffer.BYTES_PER_ELEMENT ?? 1;
    validateNumber(offset, 'offset', 0, bytes.length / unit);
    size ??= bytes.length / unit - offset;
    validateNumber(size, 'size', 0, MAX_SIZE);
    if (offset + size > bytes.length / unit) throw outOfRange('size + offset', `<= ${bytes.length / unit}`, size + offset);
    fillRandom(bytes.subarray(offset * unit, (offset + size) * unit));
    return buffer;
  }

  function randomFill(buffer, offset, size, callback) {
    if (typeof offset === 'function') [callback, offset, size] = [offset, undefined, undefined];
    else if (typeof size === 'function') [callback, size] = [size, undefined];
    validateFunction(callback, 'callback');
    return answer(callback, () => randomFillSync(buffer, offset, size));
  }

  // Even for every range: what would favour the first numbers is drawn again.
  function randomInt(min, max, callback) {
    if (max === undefined || typeof max === 'function') [min, max, callback] = [0, min, max];
    if (!Number.isSafeInteger(min)) throw invalidArgType('min', 'a safe integer', min);
    if (!Number.isSafeInteger(max)) throw invalidArgType('max', 'a safe integer', max);
    if (max <= min) throw outOfRange('max', `greater than the value of "min" (${min})`, max);
    const range = max - min;
    const most = 2 ** 48;
    if (range > most - 1) throw outOfRange(min === 0 ? 'max' : 'max - min', `<= ${most - 1}`, range);
    return answer(callback, () => {
      for (;;) {
        const drawn = Buffer.from(nativeRandom(6)).readUIntBE(0, 6);
        if (drawn < most - (most % range)) return (drawn % range) + min;
      }
    });
  }

  function randomUUID(options) {
    if (options !== undefined && (options === null || typeof options !== 'object')) {
      throw invalidArgType('options', 'object', options);
    }
    return webcrypto.randomUUID();
  }

  // Digests

  const DIGESTS = { sha1: ['SHA-1', 64], sha256: ['SHA-256', 64], sha384: ['SHA-384', 128], sha512: ['SHA-512', 128] };

  function digestNamed(name) {
    const plain = name.toLowerCase().replace(/^rsa-/, '').replace(/^sha-/, 'sha');
    return Object.hasOwn(DIGESTS, plain) ? DIGESTS[plain] : undefined;
  }

  function dataOf(data, name, encoding) {
    if (typeof data === 'string') return Buffer.from(data, Buffer.isEncoding(encoding) ? encoding : 'utf8');
    if (isArrayBufferView(data)) return Buffer.from(bytesOf(data));
    throw invalidArgType(name, ['string', 'Buffer', 'TypedArray', 'DataView'], data);
  }

  function encoded(bytes, encoding) {
    const buffer = Buffer.from(bytes.buffer);
    return Buffer.isEncoding(encoding) ? buffer.toString(encoding) : buffer;
  }

  const finalized = () => make(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');

  class Hash {
    #name;
    #chunks = [];

    constructor(algorithm, chunks = []) {
      validateString(algorithm, 'algorithm');
      const found = digestNamed(algorithm);
      if (found === undefined) throw new Error('Digest method not supported');
      this.#name = found[0];
      this.#chunks = chunks;
    }
    // What is to be digested is kept until the end.
    update(data, inputEncoding) {
      const bytes = dataOf(data, 'data', inputEncoding);
      if (this.#chunks === null) throw finalized();
      this.#chunks.push(bytes);
      return this;
    }
    digest(outputEncoding) {
      if (this.#chunks === null) throw finalized();
      const bytes = Buffer.concat(this.#chunks);
      this.#chunks = null;
      return encoded(digestOf(this.#name, bytes), outputEncoding);
    }
    copy() {
      if (this.#chunks === null) throw finalized();
      return new Hash(this.#name, [...this.#chunks]);
    }
  }

  class Hmac {
    #name;
    #outer;
    #chunks;

    constructor(algorithm, key) {
      validateString(algorithm, 'hmac');
      const isBytes = isAnyArrayBuffer(key) || isArrayBufferView(key);
      if (typeof key !== 'string' && !isBytes) {
        throw invalidArgType('key', ['ArrayBuffer', 'Buffer', 'TypedArray', 'DataView', 'string'], key);
      }
      const found = digestNamed(algorithm);
      if (found === undefined) throw make(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${algorithm}`);
      const [name, block] = found;
      const given = isBytes ? Buffer.from(bytesOf(key)) : Buffer.from(key);
      const padded = Buffer.alloc(block);
      padded.set(given.length > block ? digestOf(name, given) : given);
      this.#name = name;
      this.#chunks = [padded.map((byte) => byte ^ 0x36)];
      this.#outer = padded.map((byte) => byte ^ 0x5c);
    }
    update(data, inputEncoding) {
      const bytes = dataOf(data, 'data', inputEncoding);
      if (this.#chunks === null) throw finalized();
      this.#chunks.push(bytes);
      return this;
    }
    // Of one that was asked already Node answers nothing, and so do we.
    digest(outputEncoding) {
      if (this.#chunks === null) return Buffer.isEncoding(outputEncoding) ? '' : Buffer.alloc(0);
      const inner = digestOf(this.#name, Buffer.concat(this.#chunks));
      this.#chunks = null;
      return encoded(digestOf(this.#name, Buffer.concat([this.#outer, inner])), outputEncoding);
    }
  }

  function timingSafeEqual(buf1, buf2) {
    for (const [name, value] of [['buf1', buf1], ['buf2', buf2]]) {
      if (!isAnyArrayBuffer(value) && !isArrayBufferView(value)) {
        throw invalidArgType(name, ['ArrayBuffer', 'Buffer', 'TypedArray', 'DataView'], value);
      }
    }
    const [a, b] = [bytesOf(buf1), bytesOf(buf2)];
    if (a.length !== b.length) {
      throw make(RangeError, 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', 'Input buffers must have the same byte length');
    }
    let difference = 0;
    for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i];
    return difference === 0;
  }

  return {
    randomBytes,
    pseudoRandomBytes: randomBytes,
    randomFill,
    randomFillSync,
    randomInt,
    randomUUID,
    getRandomValues: (array) => webcrypto.getRandomValues(array),
    createHash: (algorithm) => new Hash(algorithm),
    createHmac: (algorithm, key) => new Hmac(algorithm, key),
    getHashes: () => Object.keys(DIGESTS),
    timingSafeEqual,
    Hash,
    Hmac,
    webcrypto,
    subtle: webcrypto.subtle,
  };
})
