// crypto: random bytes from the realm's own generator, and digests.
(function (internal) {
  'use strict';
  const { classOf, digest, randomBytes } = internal.natives;
  const { bytesOf, coded, dictionary, domException, expose, isObject, platform, required, string, typeError, uncurry, viewLength } =
    internal.part('webidl');
  const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
  const Bytes = Uint8Array;
  const setBytes = uncurry(Uint8Array.prototype.set);
  const slice = uncurry(String.prototype.slice), toUpperCase = uncurry(String.prototype.toUpperCase);
  const numberText = uncurry(Number.prototype.toString);
  const PromiseHere = Promise;
  const typedPrototype = getPrototypeOf(Uint8Array.prototype);
  const viewBuffer = uncurry(getOwnPropertyDescriptor(typedPrototype, 'buffer').get);
  const viewOffset = uncurry(getOwnPropertyDescriptor(typedPrototype, 'byteOffset').get);

  const INTEGERS = {
    __proto__: null, Int8Array: 1, Uint8Array: 1, Uint8ClampedArray: 1, Int16Array: 1, Uint16Array: 1, Int32Array: 1,
    Uint32Array: 1, BigInt64Array: 1, BigUint64Array: 1,
  };
  const MOST_RANDOM = 65536;
  const illegal = () => coded(typeError('Illegal constructor'), 'ERR_ILLEGAL_CONSTRUCTOR');
  const pass = {};

  class SubtleCrypto {
    #brand;
    constructor(token = undefined) {
      if (token !== pass) throw illegal();
    }
    static {
      platform[platform.length] = (value) => #brand in value;
    }

    async digest(algorithm, data) {
      this.#brand;
      required(arguments.length, 'algorithm', 'data');
      let name = algorithm;
      if (isObject(algorithm)) {
        name = algorithm.name;
        if (name === undefined) {
          throw typeError("'name' is required in 'Algorithm'", 'ERR_MISSING_OPTION');
        }
      }
      name = string(name);
      const bytes = bytesOf(data);
      if (bytes === undefined) {
        throw typeError('The "data" argument must be an instance of ArrayBuffer or ArrayBufferView', 'ERR_INVALID_ARG_TYPE');
      }
      const answer = digest(toUpperCase(name), bytes);
      if (answer === null) throw domException(`Unrecognized algorithm name: ${name}`, 'NotSupportedError');
      return viewBuffer(answer);
    }
  }
  expose(SubtleCrypto, 'SubtleCrypto');

  const hex = [];
  for (let i = 0; i < 256; i++) hex[i] = slice(numberText(i + 256, 16), 1);

  class Crypto {
    #subtle;
    constructor(token = undefined) {
      if (token !== pass) throw illegal();
      this.#subtle = new SubtleCrypto(pass);
    }
    static {
      platform[platform.length] = (value) => #subtle in value;
    }

    get subtle() { return this.#subtle; }

    getRandomValues(array) {
      this.#subtle;
      required(arguments.length, 'array');
      if (!isObject(array) || INTEGERS[classOf(array)] === undefined) {
        throw domException('The data argument must be an integer-type TypedArray', 'TypeMismatchError');
      }
      const length = viewLength(array);
      if (length > MOST_RANDOM) {
        throw domException('The requested length exceeds 65,536 bytes', 'QuotaExceededError');
      }
      if (length > 0) {
        const bytes = new Bytes(viewBuffer(array), viewOffset(array), length);
        setBytes(bytes, randomBytes(length));
      }
      return array;
    }

    randomUUID(options = undefined) {
      this.#subtle;
      dictionary(options, 'options');
      const bytes = randomBytes(16);
      bytes[6] = (bytes[6] & 0x0f) | 0x40;
      bytes[8] = (bytes[8] & 0x3f) | 0x80;
      let text = '';
      for (let i = 0; i < 16; i++) {
        if (i === 4 || i === 6 || i === 8 || i === 10) text += '-';
        text += hex[bytes[i]];
      }
      return text;
    }
  }
  defineProperty(Crypto.prototype.randomUUID, 'length', { __proto__: null, value: 0, configurable: true });
  expose(Crypto, 'Crypto');

  return { crypto: new Crypto(pass), Crypto, SubtleCrypto };
})
