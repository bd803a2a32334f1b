// Percent-encoding with a table, for `querystring` and `url`.
//
// Adapted from Node.js v20.20.2, lib/internal/querystring.js (MIT, see LICENSE-NODE beside this file): calls of captured built-ins are method
// calls, and Node's own helpers come from our parts.
(function (internal) {
  'use strict';
  const { make } = internal.part('node_errors');

  const hexTable = Array.from({ length: 256 }, (_, i) => `%${(i < 16 ? '0' : '') + i.toString(16).toUpperCase()}`);

  const isHexTable = Int8Array.from({ length: 256 }, (_, i) => (i < 128 && /[0-9a-f]/i.test(String.fromCharCode(i)) ? 1 : 0));

  function encodeStr(str, noEscapeTable, hexTable) {
    const len = str.length;
    if (len === 0)
      return '';

    let out = '';
    let lastPos = 0;
    let i = 0;

    outer:
    for (; i < len; i++) {
      let c = str.charCodeAt(i);

      // ASCII
      while (c < 0x80) {
        if (noEscapeTable[c] !== 1) {
          if (lastPos < i)
            out += str.slice(lastPos, i);
          lastPos = i + 1;
          out += hexTable[c];
        }

        if (++i === len)
          break outer;

        c = str.charCodeAt(i);
      }

      if (lastPos < i)
        out += str.slice(lastPos, i);

      // Multi-byte characters ...
      if (c < 0x800) {
        lastPos = i + 1;
        out += hexTable[0xC0 | (c >> 6)] +
               hexTable[0x80 | (c & 0x3F)];
        continue;
      }
      if (c < 0xD800 || c >= 0xE000) {
        lastPos = i + 1;
        out += hexTable[0xE0 | (c >> 12)] +
               hexTable[0x80 | ((c >> 6) & 0x3F)] +
               hexTable[0x80 | (c & 0x3F)];
        continue;
      }
      // Surrogate pair
      ++i;

      // This branch should never happen because all URLSearchParams entries
      // should already be converted to USVString. But, included for
      // completion's sake anyway.
      if (i >= len)
        throw make(URIError, 'ERR_INVALID_URI', 'URI malformed');

      const c2 = str.charCodeAt(i) & 0x3FF;

      lastPos = i + 1;
      c = 0x10000 + (((c & 0x3FF) << 10) | c2);
      out += hexTable[0xF0 | (c >> 18)] +
             hexTable[0x80 | ((c >> 12) & 0x3F)] +
             hexTable[0x80 | ((c >> 6) & 0x3F)] +
             hexTable[0x80 | (c & 0x3F)];
    }
    if (lastPos === 0)
      return str;
    if (lastPos < len)
      return out + str.slice(lastPos);
    return out;
  }
  return { encodeStr, hexTable, isHexTable };
})
