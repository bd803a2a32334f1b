// URL and URLSearchParams, over a parser in Rust.
(function (internal) {
  'use strict';
  const { urlParse, urlSet, formParse, formSerialize } = internal.natives;
  const { coded, expose, isObject, iterable, listOf, platform, required, setPair, typeError, uncurry, usv } =
    internal.part('webidl');
  const { getOwnPropertyDescriptor, ownKeys } = Reflect;
  const sort = uncurry(Array.prototype.sort);
  const startsWith = uncurry(String.prototype.startsWith);
  const slice = uncurry(String.prototype.slice);
  const iteratorSymbol = Symbol.iterator;
  const MapHere = Map;
  const mapGet = uncurry(Map.prototype.get);
  const mapSet = uncurry(Map.prototype.set);

  // The places of what the parser answers.
  const HREF = 0, PROTOCOL = 1, USERNAME = 2, PASSWORD = 3, HOST = 4, HOSTNAME = 5, PORT = 6, PATHNAME = 7, SEARCH = 8,
    HASH = 9, ORIGIN = 10;

  function invalid(input, base) {
    const error = coded(typeError('Invalid URL'), 'ERR_INVALID_URL');
    error.input = input;
    if (base !== undefined) error.base = base;
    return error;
  }

  let setQuery;
  let paramsOf;
  let reload;

  class URL {
    #parts;
    #params = null;

    constructor(url, base = undefined) {
      required(arguments.length, 'url');
      const input = usv(url);
      const against = base === undefined ? undefined : usv(base);
      const parts = urlParse(input, against);
      if (parts === null) throw invalid(input, against);
      this.#parts = parts;
    }

    static {
      setQuery = (url, query) => {
        url.#parts = urlSet(url.#parts[HREF], SEARCH, query) ?? url.#parts;
      };
      platform[platform.length] = (value) => #parts in value;
    }

    static canParse(url, base = undefined) {
      required(arguments.length, 'url');
      return urlParse(usv(url), base === undefined ? undefined : usv(base)) !== null;
    }
    static parse(url, base = undefined) {
      required(arguments.length, 'url');
      const input = usv(url);
      const against = base === undefined ? undefined : usv(base);
      return urlParse(input, against) === null ? null : new URL(input, against);
    }

    #set(part, value) {
      // A value that the part cannot have leaves the URL as it is.
      this.#parts = urlSet(this.#parts[HREF], part, value) ?? this.#parts;
    }
    #reload() {
      if (this.#params !== null) reload(this.#params, this.#parts[SEARCH]);
    }

    get href() { return this.#parts[HREF]; }
    set href(value) {
      this.#parts;
      const input = usv(value);
      const parts = urlParse(input, undefined);
      if (parts === null) throw invalid(input, undefined);
      this.#parts = parts;
      this.#reload();
    }
    get origin() { return this.#parts[ORIGIN]; }
    get protocol() { return this.#parts[PROTOCOL]; }
    set protocol(value) { this.#set(PROTOCOL, usv(value)); }
    get username() { return this.#parts[USERNAME]; }
    set username(value) { this.#set(USERNAME, usv(value)); }
    get password() { return this.#parts[PASSWORD]; }
    set password(value) { this.#set(PASSWORD, usv(value)); }
    get host() { return this.#parts[HOST]; }
    set host(value) { this.#set(HOST, usv(value)); }
    get hostname() { return this.#parts[HOSTNAME]; }
    set hostname(value) { this.#set(HOSTNAME, usv(value)); }
    get port() { return this.#parts[PORT]; }
    set port(value) { this.#set(PORT, usv(value)); }
    get pathname() { return this.#parts[PATHNAME]; }
    set pathname(value) { this.#set(PATHNAME, usv(value)); }
    get search() { return this.#parts[SEARCH]; }
    set search(value) {
      this.#set(SEARCH, usv(value));
      this.#reload();
    }
    get searchParams() {
      const query = this.#parts[SEARCH];
      if (this.#params === null) this.#params = paramsOf(this, query);
      return this.#params;
    }
    get hash() { return this.#parts[HASH]; }
    set hash(value) { this.#set(HASH, usv(value)); }
    toString() { return this.#parts[HREF]; }
    toJSON() { return this.#parts[HREF]; }
  }
  expose(URL, 'URL');

  let isParams;
  let sizeOf;
  let nameAt;
  let valueAt;
  const withoutMark = (text) => (startsWith(text, '?') ? slice(text, 1) : text);

  class URLSearchParams {
    // Names and values in turn.
    #list = [];
    #url = null;

    constructor(init = '') {
      if (typeof init === 'function' || (typeof init === 'object' && init !== null)) {
        const method = init[iteratorSymbol];
        if (method !== undefined && method !== null) this.#fromPairs(init, method);
        else this.#fromRecord(init);
      } else {
        this.#list = formParse(withoutMark(usv(init)));
      }
    }

    static {
      paramsOf = (url, query) => {
        const params = new URLSearchParams(query);
        params.#url = url;
        return params;
      };
      reload = (params, query) => {
        params.#list = formParse(withoutMark(query));
      };
      isParams = (value) => isObject(value) && #list in value;
      sizeOf = (params) => params.#list.length / 2;
      nameAt = (params, at) => params.#list[2 * at];
      valueAt = (params, at) => params.#list[2 * at + 1];
      platform[platform.length] = (value) => #list in value;
    }

    #fromPairs(init, method) {
      if (typeof method !== 'function') throw typeError('The "init" argument is not iterable', 'ERR_ARG_NOT_ITERABLE');
      const wrong = () =>
        typeError('Each query pair must be an iterable [name, value] tuple', 'ERR_INVALID_TUPLE');
      const pairs = listOf(init, method);
      const list = this.#list;
      for (let i = 0; i < pairs.length; i++) {
        const each = isObject(pairs[i]) ? pairs[i][iteratorSymbol] : undefined;
        if (typeof each !== 'function') throw wrong();
        const pair = listOf(pairs[i], each, 3);
        if (pair.length !== 2) throw wrong();
        list[list.length] = usv(pair[0]);
        list[list.length] = usv(pair[1]);
      }
    }

    #fromRecord(init) {
      const keys = ownKeys(init);
      const places = new MapHere();
      const list = this.#list;
      for (let i = 0; i < keys.length; i++) {
        const descriptor = getOwnPropertyDescriptor(init, keys[i]);
        if (descriptor === undefined || !descriptor.enumerable) continue;
        const name = usv(keys[i]);
        const value = usv(init[keys[i]]);
        // Two keys that differ in lone surrogates only become one.
        const place = mapGet(places, name) ?? list.length;
        mapSet(places, name, place);
        list[place] = name;
        list[place + 1] = value;
      }
    }

    #changed() {
      if (this.#url !== null) setQuery(this.#url, formSerialize(this.#list));
    }

    get size() { return this.#list.length / 2; }

    append(name, value) {
      this.#list;
      required(arguments.length, 'name', 'value');
      const key = usv(name);
      const text = usv(value);
      const list = this.#list;
      list[list.length] = key;
      list[list.length] = text;
      this.#changed();
    }
    delete(name, value = undefined) {
      this.#list;
      required(arguments.length, 'name');
      const key = usv(name);
      const only = value === undefined ? undefined : usv(value);
      const list = this.#list;
      let kept = 0;
      for (let i = 0; i < list.length; i += 2) {
        if (list[i] === key && (only === undefined || list[i + 1] === only)) continue;
        list[kept] = list[i];
        list[kept + 1] = list[i + 1];
        kept += 2;
      }
      list.length = kept;
      this.#changed();
    }
    get(name) {
      const list = this.#list;
      required(arguments.length, 'name');
      const key = usv(name);
      for (let i = 0; i < list.length; i += 2) if (list[i] === key) return list[i + 1];
      return null;
    }
    getAll(name) {
      const list = this.#list;
      required(arguments.length, 'name');
      const key = usv(name);
      const values = [];
      for (let i = 0; i < list.length; i += 2) if (list[i] === key) values[values.length] = list[i + 1];
      return values;
    }
    has(name, value = undefined) {
      const list = this.#list;
      required(arguments.length, 'name');
      const key = usv(name);
      const only = value === undefined ? undefined : usv(value);
      for (let i = 0; i < list.length; i += 2) {
        if (list[i] === key && (only === undefined || list[i + 1] === only)) return true;
      }
      return false;
    }
    set(name, value) {
      this.#list;
      required(arguments.length, 'name', 'value');
      const key = usv(name);
      const text = usv(value);
      setPair(this.#list, key, text);
      this.#changed();
    }
    sort() {
      const list = this.#list;
      const pairs = [];
      for (let i = 0; i < list.length; i += 2) pairs[i / 2] = [list[i], list[i + 1]];
      // Strings compare by their UTF-16 units, and the engine's sort is stable: both are what the standard asks for.
      sort(pairs, (a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
      for (let i = 0; i < pairs.length; i++) {
        list[2 * i] = pairs[i][0];
        list[2 * i + 1] = pairs[i][1];
      }
      this.#changed();
    }
    toString() { return formSerialize(this.#list); }
  }
  iterable(URLSearchParams, 'URLSearchParams', sizeOf, nameAt, valueAt);
  expose(URLSearchParams, 'URLSearchParams');

  return { URL, URLSearchParams, isParams };
})
