// `crypto`: random values, digests and HMAC. Ciphers, signatures and keys of two halves are not there.
(function (internal) {
  'use strict';
  const { hash, hmac, randomBytes: fill } = internal.natives;
  const { crypto: webcrypto } = internal.part('crypto');
  const { Buffer } = internal.part('buffer');
  const { invalidArgType, invalidArgValue, make, outOfRange, validateFunction, validateInteger, validateString } =
    internal.part('node_errors');
  const { isView } = ArrayBuffer;
  const enqueue = queueMicrotask;

  const MOST = 2 ** 31 - 1;
  const AT_ONCE = 65536;
  const HASHES = { __proto__: null, md5: 64, sha1: 64, sha256: 64, sha384: 128, sha512: 128 };

  // Node knows each by several names.
  function algorithm(name) {
    const known = name.toLowerCase().replace(/^rsa-/, '').replace(/^sha-/, 'sha');
    return HASHES[known] === undefined ? undefined : known;
  }

  // A view's bytes, of whatever kind it is.
  function viewOf(value) {
    if (isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    if (value instanceof ArrayBuffer) return Buffer.from(value);
    return undefined;
  }

  // A copy: what is hashed later may be changed before.
  function bytesOf(value, name, encoding) {
    if (typeof value === 'string') return Buffer.from(value, encoding === 'buffer' ? undefined : encoding);
    const view = value instanceof KeyObject ? value.export() : isView(value) ? viewOf(value) : undefined;
    if (view === undefined) throw invalidArgType(name, ['string', 'Buffer', 'TypedArray', 'DataView'], value);
    return Buffer.from(view);
  }

  const encoded = (bytes, encoding) => {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return encoding === undefined || encoding === null || encoding === 'buffer' ? buffer : buffer.toString(encoding);
  };
  const finalized = () => make(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');

  const { Transform } = internal.part('vendor/stream');

  class Hash extends Transform {
    #algorithm;
    #chunks = [];
    #done = false;
    constructor(name, options = undefined, chunks = undefined) {
      validateString(name, 'algorithm');
      super(options);
      this.#algorithm = algorithm(name);
      if (this.#algorithm === undefined) throw new Error('Digest method not supported');
      if (chunks !== undefined) this.#chunks = chunks;
    }
    update(data, encoding = undefined) {
      if (this.#done) throw finalized();
      this.#chunks.push(bytesOf(data, 'data', encoding));
      return this;
    }
    digest(encoding = undefined) {
      if (this.#done) throw finalized();
      this.#done = true;
      const bytes = Buffer.concat(this.#chunks);
      this.#chunks = [];
      return encoded(hash(this.#algorithm, bytes), encoding);
    }
    copy(options = undefined) {
      if (this.#done) throw finalized();
      return new Hash(this.#algorithm, options, [...this.#chunks]);
    }
    _transform(chunk, encoding, done) {
      this.update(chunk, encoding);
      done();
    }
    _flush(done) {
      this.push(this.digest());
      done();
    }
  }

  class Hmac extends Transform {
    #algorithm;
    #key;
    #chunks = [];
    #done = false;
    constructor(name, key, options = undefined) {
      validateString(name, 'hmac');
      super(options);
      this.#algorithm = algorithm(name);
      if (this.#algorithm === undefined) throw make(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${name}`);
      if (typeof key !== 'string' && !(key instanceof KeyObject) && viewOf(key) === undefined) {
        throw invalidArgType('key', ['ArrayBuffer', 'Buffer', 'TypedArray', 'DataView', 'string', 'KeyObject', 'CryptoKey'], key);
      }
      this.#key = bytesOf(key instanceof ArrayBuffer ? new Uint8Array(key) : key, 'key', options?.encoding);
    }
    update(data, encoding = undefined) {
      if (this.#done) throw finalized();
      this.#chunks.push(bytesOf(data, 'data', encoding));
      return this;
    }
    // A second call answers nothing, as in Node.
    digest(encoding = undefined) {
      if (this.#done) return encoding === undefined || encoding === 'buffer' ? Buffer.alloc(0) : '';
      this.#done = true;
      const bytes = Buffer.concat(this.#chunks);
      this.#chunks = [];
      return encoded(hmac(this.#algorithm, this.#key, bytes), encoding);
    }
    _transform(chunk, encoding, done) {
      this.update(chunk, encoding);
      done();
    }
    _flush(done) {
      this.push(this.digest());
      done();
    }
  }

  class KeyObject {
    #bytes;
    constructor(type, bytes) {
      if (type !== 'secret') throw invalidArgValue('type', type);
      this.#bytes = Buffer.from(bytes);
    }
    get type() { return 'secret'; }
    get symmetricKeySize() { return this.#bytes.length; }
    export(options = undefined) {
      if (options !== undefined && options.format === 'jwk') return { kty: 'oct', k: this.#bytes.toString('base64url') };
      return Buffer.from(this.#bytes);
    }
    equals(other) {
      return other instanceof KeyObject && this.#bytes.equals(other.#bytes);
    }
  }

  const asymmetric = () => make(Error, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', 'Public and private keys are not available in sessions');

  // Calls back, when there is somebody to call, with what would have been returned, and `none` for an error.
  function answer(callback, work, none) {
    if (callback === undefined) return work();
    validateFunction(callback, 'callback');
    const value = work();
    enqueue(() => callback(none, value));
  }

  function fillRandom(view) {
    for (let at = 0; at < view.length; at += AT_ONCE) view.set(fill(Math.min(AT_ONCE, view.length - at)), at);
  }

  function randomBytes(size, callback = undefined) {
    validateInteger(size, 'size', 0, MOST);
    return answer(callback, () => {
      const bytes = Buffer.alloc(size);
      fillRandom(bytes);
      return bytes;
    }, null);
  }

  function randomFillSync(target, offset = 0, size = undefined) {
    const view = viewOf(target);
    if (view === undefined) throw invalidArgType('buf', ['ArrayBuffer', 'ArrayBufferView'], target);
    const unit = target.BYTES_PER_ELEMENT ?? 1;
    const start = offset * unit;
    if (!(start >= 0 && start <= view.length)) throw outOfRange('offset', `>= 0 && <= ${view.length}`, start);
    const length = size === undefined ? view.length - start : size * unit;
    if (!(length >= 0 && start + length <= view.length)) throw outOfRange('size', `>= 0 && <= ${view.length - start}`, length);
    fillRandom(view.subarray(start, start + length));
    return target;
  }

  function randomFill(target, offset, size, callback) {
    const last = [offset, size, callback].find((value) => typeof value === 'function');
    validateFunction(last, 'callback');
    const numbers = [offset, size].map((value) => (typeof value === 'number' ? value : undefined));
    answer(last, () => randomFillSync(target, ...numbers), null);
  }

  // Of 48 bits, those that would favour some numbers are drawn again.
  function randomInt(min, max = undefined, callback = undefined) {
    if (max === undefined || typeof max === 'function') [min, max, callback] = [0, min, max];
    if (!Number.isSafeInteger(min)) throw invalidArgType('min', 'a safe integer', min);
    if (!Number.isSafeInteger(max)) throw invalidArgType('max', 'a safe integer', max);
    const range = max - min;
    if (range <= 0) throw outOfRange('max', `greater than the value of "min" (${min})`, max);
    if (range > 2 ** 48 - 1) throw outOfRange(min === 0 ? 'max' : 'max - min', `<= ${2 ** 48 - 1}`, range);
    return answer(callback, () => {
      const most = 2 ** 48 - (2 ** 48 % range);
      for (;;) {
        const drawn = Buffer.from(fill(6)).readUIntBE(0, 6);
        if (drawn < most) return min + (drawn % range);
      }
    }, undefined);
  }

  function timingSafeEqual(one, other) {
    const [a, b] = [viewOf(one), viewOf(other)];
    if (a === undefined) throw invalidArgType('buf1', ['ArrayBuffer', 'Buffer', 'TypedArray', 'DataView'], one);
    if (b === undefined) throw invalidArgType('buf2', ['ArrayBuffer', 'Buffer', 'TypedArray', 'DataView'], other);
    if (a.length !== b.length) {
      throw make(RangeError, 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', 'Input buffers must have the same byte length');
    }
    let differs = 0;
    for (let i = 0; i < a.length; i++) differs |= a[i] ^ b[i];
    return differs === 0;
  }

  function derive(password, salt, iterations, length, digest) {
    validateString(digest, 'digest');
    const name = algorithm(digest);
    const secret = bytesOf(password, 'password');
    const salted = bytesOf(salt, 'salt');
    validateInteger(iterations, 'iterations', 1, MOST);
    validateInteger(length, 'keylen', 0, MOST);
    if (name === undefined) throw make(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${digest}`);
    const blocks = [];
    for (let at = 0, made = 0; made < length; at++) {
      const number = Buffer.alloc(4);
      number.writeUInt32BE(at + 1);
      let last = hmac(name, secret, Buffer.concat([salted, number]));
      const block = Buffer.from(last);
      for (let i = 1; i < iterations; i++) {
        last = hmac(name, secret, last);
        for (let j = 0; j < block.length; j++) block[j] ^= last[j];
      }
      blocks.push(block);
      made += block.length;
    }
    return Buffer.concat(blocks, Math.max(0, length));
  }

  return {
    webcrypto,
    get subtle() { return webcrypto.subtle; },
    getRandomValues: (array) => webcrypto.getRandomValues(array),
    randomUUID: (options) => webcrypto.randomUUID(options),
    randomBytes, randomFill, randomFillSync, randomInt, timingSafeEqual,
    pseudoRandomBytes: randomBytes,
    createHash: (name, options) => new Hash(name, options),
    createHmac: (name, key, options) => new Hmac(name, key, options),
    hash: (name, data, encoding = 'hex') => new Hash(name).update(data).digest(encoding),
    getHashes: () => Object.keys(HASHES),
    pbkdf2Sync: derive,
    pbkdf2(password, salt, iterations, length, digest, callback) {
      validateFunction(callback, 'callback');
      answer(callback, () => derive(password, salt, iterations, length, digest), null);
    },
    createSecretKey: (key, encoding) => new KeyObject('secret', bytesOf(key, 'key', encoding)),
    createPrivateKey() { throw asymmetric(); },
    createPublicKey() { throw asymmetric(); },
    Hash, Hmac, KeyObject,
    constants: {},
  };
})
