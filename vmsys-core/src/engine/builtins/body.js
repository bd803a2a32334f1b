// What requests and responses share: a body that is held whole and read once, and forms on their way.
(function (internal) {
  'use strict';
  const { utf8Encode, utf8Decode } = internal.part('bytes');
  const { isObject, typeError, uncurry } = internal.part('webidl');
  const { Blob, File, bytesOfBlob } = internal.part('blob');
  const { FormData, sizeOf, nameAt, valueAt, isFormData } = internal.part('form_data');
  const { URLSearchParams } = internal.part('url');
  const { defineProperty, getOwnPropertyDescriptor } = Reflect;
  const { parse } = JSON;
  const { random, floor } = Math;
  const Bytes = Uint8Array;
  const setBytes = uncurry(Uint8Array.prototype.set), subarray = uncurry(Uint8Array.prototype.subarray);
  const indexOf = uncurry(Uint8Array.prototype.indexOf);
  const append = uncurry(FormData.prototype.append);
  const eachParam = uncurry(URLSearchParams.prototype.forEach);
  const replace = uncurry(String.prototype.replace), padStart = uncurry(String.prototype.padStart);
  const toLowerCase = uncurry(String.prototype.toLowerCase), trim = uncurry(String.prototype.trim);
  const slice = uncurry(String.prototype.slice), startsWith = uncurry(String.prototype.startsWith);
  const find = uncurry(String.prototype.indexOf);
  const exec = uncurry(RegExp.prototype.exec);
  const BREAK = /\r\n?|\n/g, CR = /\r/g, LF = /\n/g, QUOTE = /"/g;
  const BOUNDARY = /;\s*boundary=(?:"([^"]*)"|([^;\s]*))/i;
  const NAME = /;\s*name="([^"]*)"/i, FILENAME = /;\s*filename="([^"]*)"/i;
  const PERCENT = /%(0[AaDd]|22)/g;


  /** Takes a body to be read: that can be done once. */
  function take(body) {
    if (body.used) throw typeError('Body is unusable: Body has already been read');
    if (body.bytes === null) return new Bytes(0);
    body.used = true;
    return body.bytes;
  }
  // What is given away is a copy: others may share the bytes.
  function copy(bytes) {
    const made = new Bytes(bytes.length);
    setBytes(made, bytes);
    return made;
  }
  function text(bytes) {
    const hasMark = bytes.length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    return utf8Decode(hasMark ? subarray(bytes, 3) : bytes);
  }

  /** Adds the methods that read a body to a class; `bodyOf` gives `{bytes, used}`, `typeOf` the content type. */
  function addBody(constructor, bodyOf, typeOf) {
    const methods = {
      async arrayBuffer() { return copy(take(bodyOf(this))).buffer; },
      async blob() {
        const bytes = take(bodyOf(this));
        return new Blob([bytes], { __proto__: null, type: typeOf(this) });
      },
      async bytes() { return copy(take(bodyOf(this))); },
      async formData() {
        const type = typeOf(this);
        return decodeForm(take(bodyOf(this)), type);
      },
      async json() { return parse(text(take(bodyOf(this)))); },
      async text() { return text(take(bodyOf(this))); },
      get bodyUsed() { return bodyOf(this).used; },
    };
    const names = ['arrayBuffer', 'blob', 'bytes', 'formData', 'json', 'text', 'bodyUsed'];
    for (let i = 0; i < names.length; i++) {
      const method = getOwnPropertyDescriptor(methods, names[i]);
      defineProperty(constructor.prototype, names[i], { __proto__: null, ...method });
    }
  }

  // As browsers write it: line ends of names and values are CRLF, and what would end a name is percent-encoded.
  const lines = (value) => replace(value, BREAK, '\r\n');
  const quoted = (value) => replace(replace(replace(value, LF, '%0A'), CR, '%0D'), QUOTE, '%22');

  function encodeForm(form) {
    const boundary = `----formdata-vm-${padStart(`${floor(random() * 1e11)}`, 11, '0')}`;
    const pieces = [];
    let length = 0;
    const add = (bytes) => {
      pieces[pieces.length] = bytes;
      length += bytes.length;
    };
    for (let i = 0; i < sizeOf(form); i++) {
      const value = valueAt(form, i);
      const head = `--${boundary}\r\nContent-Disposition: form-data; name="${quoted(lines(nameAt(form, i)))}"`;
      if (isObject(value)) {
        add(utf8Encode(`${head}; filename="${quoted(value.name)}"\r\n` +
          `Content-Type: ${value.type || 'application/octet-stream'}\r\n\r\n`));
        add(bytesOfBlob(value));
        add(utf8Encode('\r\n'));
      } else {
        add(utf8Encode(`${head}\r\n\r\n${lines(value)}\r\n`));
      }
    }
    add(utf8Encode(`--${boundary}--\r\n`));
    const bytes = new Bytes(length);
    let at = 0;
    for (let i = 0; i < pieces.length; i++) {
      setBytes(bytes, pieces[i], at);
      at += pieces[i].length;
    }
    return { bytes, type: `multipart/form-data; boundary=${boundary}` };
  }

  function decodeForm(bytes, type) {
    const at = find(type, ';');
    const essence = toLowerCase(trim(at < 0 ? type : slice(type, 0, at)));
    const form = new FormData();
    if (essence === 'application/x-www-form-urlencoded') {
      // With the `?` that the constructor takes away, so that one of the form's own stays.
      eachParam(new URLSearchParams(`?${text(bytes)}`), (value, name) => append(form, name, value));
      return form;
    }
    const boundary = essence === 'multipart/form-data' ? exec(BOUNDARY, type) : null;
    if (boundary === null) {
      throw typeError('Content-Type was not one of "multipart/form-data" or "application/x-www-form-urlencoded".');
    }
    decodeParts(form, bytes, utf8Encode(`--${boundary[1] ?? boundary[2]}`));
    return form;
  }

  const malformed = () => typeError('Failed to parse body as FormData.');

  /** Finds some bytes from a place on. */
  function search(bytes, wanted, from) {
    for (let at = indexOf(bytes, wanted[0], from); at >= 0; at = indexOf(bytes, wanted[0], at + 1)) {
      let same = 1;
      while (same < wanted.length && bytes[at + same] === wanted[same]) same++;
      if (same === wanted.length) return at;
    }
    throw malformed();
  }

  function decodeParts(form, bytes, delimiter) {
    const end = new Bytes(delimiter.length + 2);
    setBytes(end, [13, 10]);
    setBytes(end, delimiter, 2);
    const blank = new Bytes([13, 10, 13, 10]);
    let at = search(bytes, delimiter, 0) + delimiter.length;
    // Two dashes behind the delimiter end the form.
    while (!(bytes[at] === 45 && bytes[at + 1] === 45)) {
      if (bytes[at] !== 13 || bytes[at + 1] !== 10) throw malformed();
      const body = search(bytes, blank, at);
      const next = search(bytes, end, body + 2);
      addPart(form, utf8Decode(subarray(bytes, at + 2, body)), subarray(bytes, body + 4, next));
      at = next + end.length;
    }
  }

  function addPart(form, head, bytes) {
    let disposition = '', type = 'text/plain';
    for (let rest = head; rest !== '';) {
      const end = find(rest, '\r\n');
      const line = end < 0 ? rest : slice(rest, 0, end);
      rest = end < 0 ? '' : slice(rest, end + 2);
      const lower = toLowerCase(line);
      if (startsWith(lower, 'content-disposition:')) disposition = trim(slice(line, 20));
      else if (startsWith(lower, 'content-type:')) type = trim(slice(line, 13));
    }
    const name = exec(NAME, disposition);
    if (!startsWith(toLowerCase(disposition), 'form-data') || name === null) throw malformed();
    const file = exec(FILENAME, disposition);
    if (file === null) append(form, plain(name[1]), utf8Decode(bytes));
    else append(form, plain(name[1]), new File([bytes], plain(file[1]), { __proto__: null, type }));
  }
  const plain = (value) =>
    replace(value, PERCENT, (_, code) => (code === '22' ? '"' : code === '0A' || code === '0a' ? '\n' : '\r'));

  return { addBody, encodeForm, isFormData };
})
