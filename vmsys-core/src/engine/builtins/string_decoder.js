// `string_decoder`: text out of bytes that come in pieces, without breaking a character.
(function (internal) {
  'use strict';
  const { bufferToString } = internal.natives;
  const { invalidArgType, make } = internal.part('node_errors');
  const { isArrayBufferView } = internal.part('util_types');
  const { Buffer } = internal.part('buffer');

  function normalized(encoding) {
    if (!encoding) return 'utf8';
    if (!Buffer.isEncoding(encoding)) throw make(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`);
    const name = String(encoding).toLowerCase();
    if (name === 'utf-8') return 'utf8';
    if (name === 'binary') return 'latin1';
    return ['ucs2', 'ucs-2', 'utf-16le'].includes(name) ? 'utf16le' : name;
  }

  // Returns how many bytes at the end belong to a character that is not complete yet.
  function incomplete(encoding, bytes) {
    const { length } = bytes;
    switch (encoding) {
      case 'base64':
      case 'base64url': return length % 3;
      case 'utf16le': {
        const odd = length % 2;
        const last = length - odd - 1;
        return last > 0 && (bytes[last] & 0xfc) === 0xd8 ? odd + 2 : odd;
      }
      case 'utf8': {
        for (let back = 1; back <= Math.min(3, length); back++) {
          const byte = bytes[length - back];
          if ((byte & 0xc0) === 0x80) continue;
          const needed = byte >= 0xc2 && byte < 0xe0 ? 2 : byte >= 0xe0 && byte < 0xf0 ? 3 : byte >= 0xf0 && byte < 0xf5 ? 4 : 1;
          return needed > back && isBegun(bytes, length - back) ? back : 0;
        }
        return 0;
      }
      default: return 0;
    }
  }

  // Whether the second byte of a character, if it is there, can follow the first.
  function isBegun(bytes, at) {
    if (at + 1 >= bytes.length) return true;
    const second = bytes[at + 1];
    switch (bytes[at]) {
      case 0xe0: return second >= 0xa0;
      case 0xed: return second < 0xa0;
      case 0xf0: return second >= 0x90;
      case 0xf4: return second < 0x90;
      default: return true;
    }
  }

  function StringDecoder(encoding) {
    this.encoding = normalized(encoding);
    Object.defineProperty(this, 'kept', { value: Buffer.alloc(0), writable: true, enumerable: false, configurable: true });
  }

  const methods = {
    write(chunk) {
      if (typeof chunk === 'string') return chunk;
      if (!isArrayBufferView(chunk)) throw invalidArgType('buf', ['Buffer', 'TypedArray', 'DataView'], chunk);
      let bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      if (this.kept.length > 0) bytes = Buffer.concat([this.kept, bytes]);
      const end = bytes.length - incomplete(this.encoding, bytes);
      this.kept = Buffer.from(bytes.subarray(end));
      return bufferToString(bytes, this.encoding, 0, end);
    },
    end(chunk) {
      const text = chunk === undefined ? '' : this.write(chunk);
      const rest = this.kept;
      this.kept = Buffer.alloc(0);
      if (this.encoding === 'utf8' && rest.length > 0) return `${text}\ufffd`;
      return text + bufferToString(rest, this.encoding, 0, rest.length);
    },
    text(chunk, offset) {
      this.kept = Buffer.alloc(0);
      return this.write(chunk.slice(offset));
    },
  };
  for (const name of Object.keys(methods)) StringDecoder.prototype[name] = methods[name];
  for (const [name, get] of [
    ['lastChar', (decoder) => decoder.kept],
    ['lastNeed', (decoder) => (decoder.kept.length === 0 ? 0 : neededBy(decoder) - decoder.kept.length)],
    ['lastTotal', (decoder) => (decoder.kept.length === 0 ? 0 : neededBy(decoder))],
  ]) {
    Object.defineProperty(StringDecoder.prototype, name, {
      get() { return get(this); }, enumerable: true, configurable: true,
    });
  }

  function neededBy(decoder) {
    if (decoder.encoding === 'utf16le') return decoder.kept.length > 2 || (decoder.kept[1] & 0xfc) === 0xd8 ? 4 : 2;
    if (decoder.encoding !== 'utf8') return 3;
    return decoder.kept[0] < 0xe0 ? 2 : decoder.kept[0] < 0xf0 ? 3 : 4;
  }

  return { StringDecoder };
})
