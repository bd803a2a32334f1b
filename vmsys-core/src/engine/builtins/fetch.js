// fetch, Headers, Request and Response. Bodies are held whole: there are no streams, and so no `body`.
(function (internal) {
  'use strict';
  const { begin } = internal;
  const { utf8Encode } = internal.part('bytes');
  const { bytesOf, coded, dictionary, expose, getterOf, isObject, iterable, listOf, platform, rangeError, required,
    string, typeError, uncurry, usv } = internal.part('webidl');
  const { AbortController, AbortSignal, isAbortSignal, isAborted, whenAborted } = internal.part('abort');
  const { Blob, bytesOfBlob } = internal.part('blob');
  const { URL, URLSearchParams, isParams } = internal.part('url');
  const { addBody, encodeForm, isFormData } = internal.part('body');
  const { getOwnPropertyDescriptor, ownKeys } = Reflect;
  const { stringify } = JSON;
  const PromiseHere = Promise, TypeErrorHere = TypeError, Bytes = Uint8Array, MapHere = Map;
  const then = uncurry(Promise.prototype.then);
  const paramsText = uncurry(URLSearchParams.prototype.toString);
  const typeOf = getterOf(Blob.prototype, 'type');
  const hrefOf = getterOf(URL.prototype, 'href');
  const userOf = getterOf(URL.prototype, 'username'), passwordOf = getterOf(URL.prototype, 'password');
  const signalOf = getterOf(AbortController.prototype, 'signal');
  const reasonOf = getterOf(AbortSignal.prototype, 'reason');
  const { any } = AbortSignal;
  const sort = uncurry(Array.prototype.sort), includes = uncurry(Array.prototype.includes);
  const join = uncurry(Array.prototype.join);
  const mapGet = uncurry(Map.prototype.get), mapSet = uncurry(Map.prototype.set);
  const replace = uncurry(String.prototype.replace), split = uncurry(String.prototype.split);
  const charCodeAt = uncurry(String.prototype.charCodeAt);
  const toLowerCase = uncurry(String.prototype.toLowerCase), toUpperCase = uncurry(String.prototype.toUpperCase);
  const startsWith = uncurry(String.prototype.startsWith);
  const test = uncurry(RegExp.prototype.test);
  const setBytes = uncurry(Uint8Array.prototype.set);
  const iteratorSymbol = Symbol.iterator;
  const toNumber = Number;

  const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, NOT_A_VALUE = /[\0\r\n]/, OUTER_SPACE = /^[\t\n\r ]+|[\t\n\r ]+$/g;
  const NOT_A_BYTE = /[^\0-\xff]/, REASON = /^[\t -~\x80-\xff]*$/;
  const NORMAL_METHODS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'];
  const NO_METHODS = ['CONNECT', 'TRACE', 'TRACK'];
  const NULL_BODY = [101, 103, 204, 205, 304];
  const REDIRECTS = [301, 302, 303, 307, 308];
  // What belongs to the connection. The host leaves it out in any case.
  const FORBIDDEN = ['connection', 'content-length', 'expect', 'host', 'http2-settings', 'keep-alive', 'te', 'trailer',
    'transfer-encoding', 'upgrade'];

  function byteString(value) {
    const text = string(value);
    if (test(NOT_A_BYTE, text)) {
      let at = 0;
      while (charCodeAt(text, at) <= 255) at++;
      throw typeError(
        `Cannot convert argument to a ByteString because the character at index ${at} has a value of ` +
          `${charCodeAt(text, at)} which is greater than 255.`,
      );
    }
    return text;
  }

  function oneOf(value, allowed, where) {
    const text = string(value);
    if (includes(allowed, text)) return text;
    throw typeError(`${where}: ${text} is not an accepted type. Expected one of ${join(allowed, ', ')}.`);
  }

  // --- Headers ---

  function nameOf(value, method) {
    const name = byteString(value);
    if (!test(TOKEN, name)) throw typeError(`Headers.${method}: "${name}" is an invalid header name.`);
    return toLowerCase(name);
  }
  function valueOf(value, method) {
    const text = replace(byteString(value), OUTER_SPACE, '');
    if (test(NOT_A_VALUE, text)) throw typeError(`Headers.${method}: "${text}" is an invalid header value.`);
    return text;
  }

  let sizeOf, nameAt, valueAt, headersLike, pairsOf, setGuard, setDefault;

  class Headers {
    // Names in lower case and values in turn, in the order in which they came.
    #list = [];
    // 'none', 'request', or 'immutable'.
    #guard = 'none';
    // Of what is iterated, once it was: names in order, with their values joined.
    #sorted = null;

    constructor(init = undefined) {
      if (init !== undefined) this.#fill(init);
    }

    static {
      sizeOf = (headers) => headers.#pairs().length / 2;
      nameAt = (headers, at) => headers.#pairs()[2 * at];
      valueAt = (headers, at) => headers.#pairs()[2 * at + 1];
      setGuard = (headers, guard) => {
        headers.#guard = guard;
        return headers;
      };
      // A copy of others, or what an `init` says.
      headersLike = (init, guard) => {
        const headers = setGuard(new Headers(), guard);
        if (isObject(init) && #list in init) headers.#list = [...init.#list];
        else if (init !== undefined) headers.#fill(init);
        return headers;
      };
      pairsOf = (headers) => {
        const pairs = [];
        for (let i = 0; i < headers.#list.length; i += 2) pairs[i / 2] = [headers.#list[i], headers.#list[i + 1]];
        return pairs;
      };
      setDefault = (headers, name, value) => {
        if (headers.#joined(name) === null) headers.#add(name, value);
      };
      platform[platform.length] = (value) => #list in value;
    }

    #fill(init) {
      if (!isObject(init)) {
        throw typeError(
          'Headers constructor: Argument 1 could not be converted to one of: sequence<sequence<ByteString>>, ' +
            'record<ByteString, ByteString>.',
        );
      }
      const method = init[iteratorSymbol];
      if (method === undefined || method === null) return this.#fillFromRecord(init);
      if (typeof method !== 'function') throw typeError('Headers constructor: init is not iterable.');
      const pairs = listOf(init, method);
      for (let i = 0; i < pairs.length; i++) {
        const each = isObject(pairs[i]) ? pairs[i][iteratorSymbol] : undefined;
        if (typeof each !== 'function') throw typeError(`Headers constructor: init[${i}] is not iterable.`);
        const pair = listOf(pairs[i], each);
        if (pair.length !== 2) {
          throw typeError(`Headers constructor: expected name/value pair to be length 2, found ${pair.length}.`);
        }
        this.#append(pair[0], pair[1]);
      }
    }
    #fillFromRecord(init) {
      const keys = ownKeys(init);
      for (let i = 0; i < keys.length; i++) {
        const descriptor = getOwnPropertyDescriptor(init, keys[i]);
        if (descriptor === undefined || !descriptor.enumerable) continue;
        if (typeof keys[i] === 'symbol') throw typeError('Headers constructor: a symbol is no name of a header.');
        this.#append(keys[i], init[keys[i]]);
      }
    }

    #add(name, value) {
      this.#list[this.#list.length] = name;
      this.#list[this.#list.length] = value;
      this.#sorted = null;
    }
    #append(name, value) {
      const key = nameOf(name, 'append');
      const text = valueOf(value, 'append');
      if (this.#mayChange(key)) this.#add(key, text);
    }
    #mayChange(name) {
      if (this.#guard === 'immutable') throw typeError('immutable');
      return this.#guard !== 'request' || !(includes(FORBIDDEN, name) || startsWith(name, 'proxy-'));
    }
    #joined(name) {
      const list = this.#list;
      let joined = null;
      for (let i = 0; i < list.length; i += 2) {
        if (list[i] === name) joined = joined === null ? list[i + 1] : `${joined}, ${list[i + 1]}`;
      }
      return joined;
    }
    // Removes all fields of a name, from a place on.
    #remove(name, from) {
      const list = this.#list;
      let kept = from;
      for (let i = from; i < list.length; i += 2) {
        if (list[i] === name) continue;
        list[kept] = list[i];
        list[kept + 1] = list[i + 1];
        kept += 2;
      }
      list.length = kept;
      this.#sorted = null;
    }
    #pairs() {
      if (this.#sorted !== null) return this.#sorted;
      const list = this.#list;
      const values = new MapHere();
      const names = [];
      for (let i = 0; i < list.length; i += 2) {
        const known = mapGet(values, list[i]);
        if (known === undefined) {
          names[names.length] = list[i];
          mapSet(values, list[i], [list[i + 1]]);
        } else {
          known[known.length] = list[i + 1];
        }
      }
      sort(names);
      const sorted = [];
      for (let i = 0; i < names.length; i++) {
        const all = mapGet(values, names[i]);
        const each = names[i] === 'set-cookie' ? all : [join(all, ', ')];
        for (let j = 0; j < each.length; j++) {
          sorted[sorted.length] = names[i];
          sorted[sorted.length] = each[j];
        }
      }
      this.#sorted = sorted;
      return sorted;
    }

    append(name, value) {
      this.#list;
      required(arguments.length, 'name', 'value');
      this.#append(name, value);
    }
    delete(name) {
      this.#list;
      required(arguments.length, 'name');
      const key = nameOf(name, 'delete');
      if (this.#mayChange(key)) this.#remove(key, 0);
    }
    get(name) {
      this.#list;
      required(arguments.length, 'name');
      return this.#joined(nameOf(name, 'get'));
    }
    has(name) {
      this.#list;
      required(arguments.length, 'name');
      return this.#joined(nameOf(name, 'has')) !== null;
    }
    set(name, value) {
      this.#list;
      required(arguments.length, 'name', 'value');
      const key = nameOf(name, 'set');
      const text = valueOf(value, 'set');
      if (!this.#mayChange(key)) return;
      for (let i = 0; i < this.#list.length; i += 2) {
        if (this.#list[i] !== key) continue;
        this.#list[i + 1] = text;
        return this.#remove(key, i + 2);
      }
      this.#add(key, text);
    }
    getSetCookie() {
      const list = this.#list;
      const cookies = [];
      for (let i = 0; i < list.length; i += 2) if (list[i] === 'set-cookie') cookies[cookies.length] = list[i + 1];
      return cookies;
    }
  }
  iterable(Headers, 'Headers', sizeOf, nameAt, valueAt);
  expose(Headers, 'Headers');

  // --- Bodies ---

  /** What may be a body: its bytes, and the type that says what they are. */
  function extract(value) {
    const bytes = bytesOf(value);
    // Copied: what its owner writes into it later is no part of the body.
    if (bytes !== undefined) return { bytes: copyOf(bytes), type: null };
    const blob = bytesOfBlob(value);
    if (blob !== undefined) return { bytes: blob, type: typeOf(value) || null };
    if (isParams(value)) {
      return { bytes: utf8Encode(paramsText(value)), type: 'application/x-www-form-urlencoded;charset=UTF-8' };
    }
    if (isFormData(value)) return encodeForm(value);
    return { bytes: utf8Encode(usv(value)), type: 'text/plain;charset=UTF-8' };
  }
  function copyOf(bytes) {
    const copy = new Bytes(bytes.length);
    setBytes(copy, bytes);
    return copy;
  }

  // --- Request ---

  let requestOf;
  const aborted = () => signalOf(new AbortController());

  function parseUrl(input) {
    const text = usv(input);
    let url;
    try {
      url = new URL(text);
    } catch (cause) {
      throw new TypeErrorHere(`Failed to parse URL from ${text}`, { cause });
    }
    if (userOf(url) !== '' || passwordOf(url) !== '') {
      throw typeError(`Request cannot be constructed from a URL that includes credentials: ${text}`);
    }
    return hrefOf(url);
  }

  function methodOf(value) {
    const method = byteString(value);
    if (!test(TOKEN, method)) throw typeError(`'${method}' is not a valid HTTP method.`);
    const upper = toUpperCase(method);
    if (includes(NO_METHODS, upper)) throw typeError(`'${method}' HTTP method is unsupported.`);
    return includes(NORMAL_METHODS, upper) ? upper : method;
  }

  // What concerns browsers is checked and shown again, and nothing more: there is no page that a request comes from, and
  // no cache.
  const CHOICES = {
    __proto__: null,
    cache: ['default', 'no-store', 'reload', 'no-cache', 'force-cache', 'only-if-cached'],
    credentials: ['omit', 'same-origin', 'include'],
    mode: ['same-origin', 'cors', 'no-cors'],
    redirect: ['follow', 'manual', 'error'],
    referrerPolicy: ['', 'no-referrer', 'no-referrer-when-downgrade', 'same-origin', 'origin', 'strict-origin',
      'origin-when-cross-origin', 'strict-origin-when-cross-origin', 'unsafe-url'],
  };
  const DEFAULTS = {
    __proto__: null, cache: 'default', credentials: 'same-origin', mode: 'cors', redirect: 'follow', referrerPolicy: '',
  };
  const CHOICE_NAMES = ownKeys(DEFAULTS);

  class Request {
    #url;
    #method = 'GET';
    #headers;
    #body = { bytes: null, used: false };
    #choices = { ...DEFAULTS, __proto__: null };
    #keepalive = false;
    #referrer = 'about:client';
    // The signal that it follows, and the one that it shows, which is made when it is asked for.
    #source = null;
    #signal = null;

    constructor(input, init = undefined) {
      required(arguments.length, 'input');
      const options = dictionary(init, 'init');
      const from = isObject(input) && #url in input ? input : null;
      if (from === null) {
        this.#url = parseUrl(input);
      } else {
        this.#url = from.#url;
        this.#method = from.#method;
        this.#choices = { ...from.#choices, __proto__: null };
        this.#keepalive = from.#keepalive;
        this.#referrer = from.#referrer;
        this.#source = from.#signal ?? from.#source;
      }
      this.#choose(options);
      const { method, headers, signal, body } = options;
      if (method !== undefined) this.#method = methodOf(method);
      if (signal !== undefined) {
        if (signal !== null && !isAbortSignal(signal)) {
          throw typeError("Failed to construct 'Request': member signal is not of type AbortSignal.");
        }
        this.#source = signal;
      }
      this.#headers = headersLike(headers === undefined && from !== null ? from.#headers : headers, 'request');
      const given = body !== undefined && body !== null;
      if ((given || (from !== null && from.#body.bytes !== null)) && (this.#method === 'GET' || this.#method === 'HEAD')) {
        throw typeError('Request with GET/HEAD method cannot have body.');
      }
      if (given) {
        const { bytes, type } = extract(body);
        this.#body.bytes = bytes;
        if (type !== null) setDefault(this.#headers, 'content-type', type);
      } else if (from !== null && from.#body.bytes !== null) {
        if (from.#body.used) {
          throw typeError('Cannot construct a Request with a Request object that has already been used.');
        }
        this.#body.bytes = from.#body.bytes;
        from.#body.used = true;
      }
    }

    #choose(options) {
      if (options.window !== undefined && options.window !== null) throw typeError("'window' option must be null");
      for (let i = 0; i < CHOICE_NAMES.length; i++) {
        const name = CHOICE_NAMES[i];
        const value = options[name];
        if (value === undefined) continue;
        if (name === 'mode' && value === 'navigate') {
          throw typeError('Request constructor: invalid request mode navigate.');
        }
        this.#choices[name] = oneOf(value, CHOICES[name], 'Request constructor');
      }
      if (this.#choices.cache === 'only-if-cached' && this.#choices.mode !== 'same-origin') {
        throw typeError("'only-if-cached' can be set only with 'same-origin' mode");
      }
      const { duplex, integrity, keepalive, referrer } = options;
      if (duplex !== undefined) oneOf(duplex, ['half'], 'Request constructor');
      if (integrity !== undefined && string(integrity) !== '') {
        throw typeError('Request constructor: integrity is not supported: compare a digest of the body');
      }
      if (keepalive !== undefined) this.#keepalive = !!keepalive;
      if (referrer !== undefined) this.#referrer = usv(referrer);
    }

    static {
      // What fetch needs of a request that it may use up.
      requestOf = (request) => {
        const { redirect } = request.#choices;
        if (request.#body.bytes !== null) request.#body.used = true;
        const sent = {
          url: request.#url, method: request.#method, headers: pairsOf(request.#headers), body: request.#body.bytes, redirect,
        };
        return { sent, signal: request.#signal ?? request.#source };
      };
      addBody(Request, (request) => request.#body, (request) => valueOfType(request.#headers));
      platform[platform.length] = (value) => #url in value;
    }

    get method() { return this.#method; }
    get url() { return this.#url; }
    get headers() { return this.#headers; }
    get destination() {
      this.#url;
      return '';
    }
    get referrer() { return this.#referrer; }
    get referrerPolicy() { return this.#choices.referrerPolicy; }
    get mode() { return this.#choices.mode; }
    get credentials() { return this.#choices.credentials; }
    get cache() { return this.#choices.cache; }
    get redirect() { return this.#choices.redirect; }
    get integrity() {
      this.#url;
      return '';
    }
    get keepalive() { return this.#keepalive; }
    get signal() {
      this.#signal ??= this.#source === null ? aborted() : any([this.#source]);
      return this.#signal;
    }
    get duplex() {
      this.#url;
      return 'half';
    }
    clone() {
      if (this.#body.used) throw typeError('Request.clone: Body has already been consumed.');
      const { bytes } = this.#body;
      // Without its body for a moment, so that the other does not take it.
      this.#body.bytes = null;
      try {
        const copy = new Request(this);
        // Bytes of a body are never written to.
        copy.#body.bytes = bytes;
        return copy;
      } finally {
        this.#body.bytes = bytes;
      }
    }
  }
  expose(Request, 'Request');

  // --- Response ---

  let receive;
  const valueOfType = (headers) => {
    const pairs = pairsOf(headers);
    for (let i = 0; i < pairs.length; i++) if (pairs[i][0] === 'content-type') return pairs[i][1];
    return '';
  };

  class Response {
    #type = 'default';
    #url = '';
    #redirected = false;
    #status = 200;
    #statusText = '';
    #headers;
    #body = { bytes: null, used: false };

    constructor(body = null, init = undefined) {
      const options = dictionary(init, 'init');
      const extracted = body === null || body === undefined ? null : extract(body);
      this.#initialize(options, extracted);
    }

    #initialize({ status, statusText, headers }, extracted) {
      if (status !== undefined) {
        // As Web IDL makes an unsigned short of a number.
        const short = toNumber(status) & 0xffff;
        if (short < 200 || short > 599) {
          throw rangeError('init["status"] must be in the range of 200 to 599, inclusive.');
        }
        this.#status = short;
      }
      if (statusText !== undefined) {
        const text = byteString(statusText);
        if (!test(REASON, text)) throw typeError('Invalid statusText');
        this.#statusText = text;
      }
      this.#headers = headersLike(headers, 'none');
      if (extracted === null) return;
      if (includes(NULL_BODY, this.#status)) {
        throw typeError(`Response constructor: Invalid response status code ${this.#status}`);
      }
      this.#body.bytes = extracted.bytes;
      if (extracted.type !== null) setDefault(this.#headers, 'content-type', extracted.type);
    }

    static {
      // What the host answered.
      receive = (answer, isHead) => {
        const response = new Response();
        response.#type = 'basic';
        response.#url = split(answer.url, '#')[0];
        response.#redirected = answer.redirected;
        response.#status = answer.status;
        response.#statusText = answer.statusText;
        response.#headers = setGuard(new Headers(answer.headers), 'immutable');
        response.#body.bytes = isHead || includes(NULL_BODY, answer.status) ? null : answer.body;
        return response;
      };
      addBody(Response, (response) => response.#body, (response) => valueOfType(response.#headers));
      platform[platform.length] = (value) => #type in value;
    }

    static error() {
      const response = new Response();
      response.#type = 'error';
      response.#status = 0;
      setGuard(response.#headers, 'immutable');
      return response;
    }
    static json(data, init = undefined) {
      required(arguments.length, 'data');
      const text = stringify(data);
      if (text === undefined) throw typeError('Value is not JSON serializable');
      const response = new Response();
      response.#initialize(dictionary(init, 'init'), { bytes: utf8Encode(text), type: 'application/json' });
      return response;
    }
    static redirect(url, status = 302) {
      required(arguments.length, 'url');
      const location = hrefOf(urlOf(url));
      const code = toNumber(status);
      if (!includes(REDIRECTS, code)) throw rangeError(`Invalid status code ${status}`);
      const response = new Response();
      response.#status = code;
      setDefault(response.#headers, 'location', location);
      setGuard(response.#headers, 'immutable');
      return response;
    }

    get type() { return this.#type; }
    get url() { return this.#url; }
    get redirected() { return this.#redirected; }
    get status() { return this.#status; }
    get ok() { return this.#status >= 200 && this.#status <= 299; }
    get statusText() { return this.#statusText; }
    get headers() { return this.#headers; }
    clone() {
      if (this.#body.used) throw typeError('Response.clone: Body has already been consumed.');
      const copy = new Response();
      copy.#type = this.#type;
      copy.#url = this.#url;
      copy.#redirected = this.#redirected;
      copy.#status = this.#status;
      copy.#statusText = this.#statusText;
      copy.#headers = headersLike(this.#headers, this.#type === 'default' ? 'none' : 'immutable');
      copy.#body.bytes = this.#body.bytes;
      return copy;
    }
  }
  expose(Response, 'Response');

  function urlOf(value) {
    const text = usv(value);
    try {
      return new URL(text);
    } catch (cause) {
      throw new TypeErrorHere(`Failed to parse URL from ${text}`, { cause });
    }
  }

  // --- fetch ---

  // What the host refuses, and what it finds wrong with a request, says so itself; anything else is a failure on the way.
  const failed = (error) =>
    isObject(error) && (error.code === 'EPERM' || error.name === 'TypeError' || error.name === 'RangeError')
      ? error
      : new TypeErrorHere('fetch failed', { cause: error });

  async function fetch(input, init = undefined) {
    required(arguments.length, 'input');
    const { sent, signal } = requestOf(new Request(input, init));
    if (signal !== null && isAborted(signal)) throw reasonOf(signal);
    const { promise, cancel } = begin('vm:net', 'fetch', sent);
    return new PromiseHere((resolve, reject) => {
      const forget =
        signal === null
          ? () => {}
          : whenAborted(signal, () => {
            cancel();
            reject(reasonOf(signal));
          });
      const settle = (settled) => {
        forget();
        settled();
      };
      then(
        promise,
        (answer) => settle(() => resolve(receive(answer, sent.method === 'HEAD'))),
        (error) => settle(() => reject(failed(error))),
      );
    });
  }

  return { fetch, Headers, Request, Response };
})
