// TextEncoder and TextDecoder, over the encodings of the standard in Rust.
(function (internal) {
  'use strict';
  const { classOf, utf8Encode, utf8EncodeSome, encodingName, decode, decoder } = internal.natives;
  const { bytesOf, dictionary, expose, platform, rangeError, required, string, typeError, uncurry, usv, viewLength, wrongType } =
    internal.part('webidl');
  const Bytes = Uint8Array;
  const setBytes = uncurry(Uint8Array.prototype.set);
  const slice = uncurry(String.prototype.slice);

  class TextEncoder {
    #brand;

    static {
      platform[platform.length] = (value) => #brand in value;
    }

    get encoding() {
      this.#brand;
      return 'utf-8';
    }
    encode(input = '') {
      this.#brand;
      return utf8Encode(usv(input));
    }
    encodeInto(source, destination) {
      this.#brand;
      required(arguments.length, 'source', 'destination');
      const text = usv(source);
      if (classOf(destination) !== 'Uint8Array') {
        throw wrongType('destination', 'an instance of Uint8Array', destination);
      }
      const room = viewLength(destination);
      // Each unit takes a byte at least.
      const pair = utf8EncodeSome(slice(text, 0, room + 1), room);
      const bytes = pair[0];
      setBytes(destination, bytes);
      return { read: pair[1], written: viewLength(bytes) };
    }
  }
  expose(TextEncoder, 'TextEncoder');

  class TextDecoder {
    #encoding;
    #fatal;
    #ignoreBOM;
    // The decoder of a stream that has begun.
    #stream = null;

    constructor(label = 'utf-8', options = undefined) {
      const wanted = string(label);
      const { fatal, ignoreBOM } = dictionary(options, 'options');
      const name = encodingName(wanted);
      if (name === null) {
        throw rangeError(`The "${wanted}" encoding is not supported`, 'ERR_ENCODING_NOT_SUPPORTED');
      }
      this.#encoding = name;
      this.#fatal = !!fatal;
      this.#ignoreBOM = !!ignoreBOM;
    }

    static {
      platform[platform.length] = (value) => #encoding in value;
    }

    get encoding() { return this.#encoding; }
    get fatal() { return this.#fatal; }
    get ignoreBOM() { return this.#ignoreBOM; }

    decode(input = undefined, options = undefined) {
      const encoding = this.#encoding;
      const more = !!dictionary(options, 'options').stream;
      const bytes = input === undefined ? new Bytes(0) : bytesOf(input);
      if (bytes === undefined) throw wrongType('input', 'an instance of ArrayBuffer or ArrayBufferView', input);
      let text;
      if (!more && this.#stream === null) {
        text = decode(encoding, bytes, this.#fatal, this.#ignoreBOM);
      } else {
        this.#stream ??= decoder(encoding, this.#fatal, this.#ignoreBOM);
        text = this.#stream(bytes, !more);
        if (!more || text === null) this.#stream = null;
      }
      if (text === null) {
        throw typeError(
          `The encoded data was not valid for encoding ${encoding}`,
          'ERR_ENCODING_INVALID_ENCODED_DATA',
        );
      }
      return text;
    }
  }
  expose(TextDecoder, 'TextDecoder');

  return { TextEncoder, TextDecoder };
})
