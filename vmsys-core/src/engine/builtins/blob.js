// Blob and File: bytes that do not change, and their type.
(function (internal) {
  'use strict';
  const { utf8Encode, decode, now } = internal.natives;
  const { bytesOf, dictionary, expose, getterOf, isObject, listOf, platform, required, string, typeError, uncurry, usv } =
    internal.part('webidl');
  const iteratorSymbol = Symbol.iterator;
  const Bytes = Uint8Array;
  const setBytes = uncurry(Uint8Array.prototype.set), subarray = uncurry(Uint8Array.prototype.subarray);
  const sliceBytes = uncurry(Uint8Array.prototype.slice);
  const replaceAll = uncurry(String.prototype.replaceAll), toLowerCase = uncurry(String.prototype.toLowerCase);
  const charCodeAt = uncurry(String.prototype.charCodeAt);
  const bufferOf = getterOf(Reflect.getPrototypeOf(Uint8Array.prototype), 'buffer');
  const toNumber = Number;
  const { max, min, trunc } = Math;

  function normalType(type) {
    for (let i = 0; i < type.length; i++) {
      const code = charCodeAt(type, i);
      if (code < 0x20 || code > 0x7e) return '';
    }
    return toLowerCase(type);
  }

  function gather(parts, native) {
    const pieces = [];
    let length = 0;
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i];
      let bytes = bytesOfBlob(part) ?? bytesOf(part);
      if (bytes === undefined) {
        let text = usv(part);
        if (native) text = replaceAll(replaceAll(text, '\r\n', '\n'), '\r', '\n');
        bytes = utf8Encode(text);
      }
      pieces[i] = bytes;
      length += bytes.length;
    }
    const all = new Bytes(length);
    let at = 0;
    for (let i = 0; i < pieces.length; i++) {
      setBytes(all, pieces[i], at);
      at += pieces[i].length;
    }
    return all;
  }

  // An index as Web IDL's [Clamp] long long, and from the end where it is negative.
  function position(value, size, otherwise) {
    if (value === undefined) return otherwise;
    const index = trunc(toNumber(value)) || 0;
    return index < 0 ? max(size + index, 0) : min(index, size);
  }

  let bytesOfBlob, fromBytes, isBlob, typeOf;
  const pass = {};

  class Blob {
    // Never written to once it is here, so that slices may share it.
    #bytes;
    #type = '';

    constructor(blobParts = undefined, options = undefined) {
      if (options === pass) {
        this.#bytes = blobParts;
        return;
      }
      let parts = [];
      if (blobParts !== undefined) {
        const method = isObject(blobParts) ? blobParts[iteratorSymbol] : undefined;
        if (typeof method !== 'function') {
          throw typeError('The "sources" argument must be a sequence', 'ERR_INVALID_ARG_TYPE');
        }
        parts = listOf(blobParts, method);
      }
      const given = dictionary(options, 'options');
      const endings = given.endings === undefined ? 'transparent' : string(given.endings);
      if (endings !== 'transparent' && endings !== 'native') {
        throw typeError(`The "options.endings" property must be 'transparent' or 'native'`, 'ERR_INVALID_ARG_VALUE');
      }
      const { type } = given;
      if (type !== undefined) this.#type = normalType(string(type));
      this.#bytes = gather(parts, endings === 'native');
    }

    static {
      isBlob = (value) => isObject(value) && #bytes in value;
      typeOf = (blob) => blob.#type;
      bytesOfBlob = (value) => (isBlob(value) ? value.#bytes : undefined);
      fromBytes = (bytes, type) => {
        const blob = new Blob(bytes, pass);
        blob.#type = type;
        return blob;
      };
    }

    get size() { return this.#bytes.length; }
    get type() { return this.#type; }
    slice(start = undefined, end = undefined, contentType = '') {
      const bytes = this.#bytes;
      const from = position(start, bytes.length, 0);
      const to = position(end, bytes.length, bytes.length);
      return fromBytes(subarray(bytes, from, max(from, to)), normalType(string(contentType)));
    }
    async text() { return decode('utf-8', this.#bytes, false, false); }
    async arrayBuffer() { return bufferOf(sliceBytes(this.#bytes)); }
    async bytes() { return sliceBytes(this.#bytes); }
  }
  Reflect.defineProperty(Blob.prototype.slice, 'length', { __proto__: null, value: 0, configurable: true });
  expose(Blob, 'Blob');

  let describe;
  class File extends Blob {
    #name;
    #lastModified;

    constructor(fileBits, fileName, options = undefined) {
      required(arguments.length, 'sources', 'fileName');
      super(fileBits, options);
      this.#name = usv(fileName);
      const { lastModified } = dictionary(options, 'options');
      this.#lastModified = lastModified === undefined ? now() : trunc(toNumber(lastModified)) || 0;
    }

    static {
      describe = (value) => (#name in value ? [value.#name, value.#lastModified] : null);
    }

    get name() { return this.#name; }
    get lastModified() { return this.#lastModified; }
  }
  expose(File, 'File');

  platform[platform.length] = (value) => {
    if (!isBlob(value)) return false;
    const file = describe(value);
    if (file === null) return fromBytes(bytesOfBlob(value), typeOf(value));
    return new File([value], file[0], { __proto__: null, type: typeOf(value), lastModified: file[1] });
  };

  return { Blob, File, bytesOfBlob, isBlob };
})
