// `url`: the classes of the URL standard, file URLs, and on first touch the functions from before the standard.
(function (internal) {
  'use strict';
  const { URL, URLSearchParams } = internal.part('url');
  const { invalidArgType, make, missingArgs, validateObject, validateString } = internal.part('node_errors');

  const isURL = (value) => value instanceof URL;
  const legacy = () => internal.part('vendor/url_legacy');

  // Hosts

  // Returns the host as DNS has it; the empty string if it is none.
  function domainToASCII(domain) {
    if (arguments.length < 1) throw missingArgs('domain');
    try {
      return new URL(`ws://${domain}`).hostname;
    } catch {
      return '';
    }
  }

  function domainToUnicode(domain) {
    if (arguments.length < 1) throw missingArgs('domain');
    const ascii = domainToASCII(domain);
    return ascii.split('.').map((label) => (label.startsWith('xn--') ? decodeLabel(label.slice(4)) ?? label : label)).join('.');
  }

  // Punycode, RFC 3492. Returns undefined for what is none.
  function decodeLabel(input) {
    const points = [];
    const dash = input.lastIndexOf('-');
    for (let i = 0; i < dash; i++) points.push(input.charCodeAt(i));
    let [n, index, bias] = [128, 0, 72];
    for (let at = dash > 0 ? dash + 1 : 0; at < input.length;) {
      const before = index;
      for (let weight = 1, k = 36; ; k += 36) {
        if (at >= input.length) return undefined;
        const code = input.charCodeAt(at++);
        const digit = code >= 48 && code < 58 ? code - 22 : code >= 97 && code < 123 ? code - 97 : 36;
        if (digit >= 36) return undefined;
        index += digit * weight;
        const threshold = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
        if (digit < threshold) break;
        weight *= 36 - threshold;
      }
      const count = points.length + 1;
      let delta = Math.floor((index - before) / (before === 0 ? 700 : 2));
      delta += Math.floor(delta / count);
      let k = 0;
      for (; delta > 455; k += 36) delta = Math.floor(delta / 35);
      bias = k + Math.floor(36 * delta / (delta + 38));
      n += Math.floor(index / count);
      if (n > 0x10ffff) return undefined;
      index %= count;
      points.splice(index++, 0, n);
    }
    return String.fromCodePoint(...points);
  }

  // Files

  function fileURLToPath(path, options) {
    if (typeof path === 'string') path = new URL(path);
    else if (!isURL(path)) throw invalidArgType('path', ['string', 'URL'], path);
    if (path.protocol !== 'file:') throw make(TypeError, 'ERR_INVALID_URL_SCHEME', 'The URL must be of scheme file');
    return options?.windows ? windowsPath(path) : posixPath(path);
  }

  const invalidPath = (why) => make(TypeError, 'ERR_INVALID_FILE_URL_PATH', `File URL path ${why}`);

  function posixPath({ hostname, pathname }) {
    if (hostname !== '') {
      throw make(TypeError, 'ERR_INVALID_FILE_URL_HOST', 'File URL host must be "localhost" or empty on linux');
    }
    if (/%2f/i.test(pathname)) throw invalidPath('must not include encoded / characters');
    return decodeURIComponent(pathname);
  }

  function windowsPath({ hostname, pathname }) {
    if (/%(2f|5c)/i.test(pathname)) throw invalidPath('must not include encoded \\ or / characters');
    const path = decodeURIComponent(pathname.replaceAll('/', '\\'));
    if (hostname !== '') return `\\\\${domainToUnicode(hostname)}${path}`;
    if (!/^.[a-z]:/i.test(path)) throw invalidPath('must be absolute');
    return path.slice(1);
  }

  const ENCODED = { '%': '%25', '\t': '%09', '\n': '%0A', '\r': '%0D', ' ': '%20', '"': '%22', '#': '%23', '?': '%3F',
    '[': '%5B', '\\': '%5C', ']': '%5D', '^': '%5E', '|': '%7C', '~': '%7E' };

  function encodePath(path, windows) {
    return path.replace(/[%\t\n\r "#?[\\\]^|~]/g, (char) => (windows && char === '\\' ? char : ENCODED[char]));
  }

  function pathToFileURL(path, options) {
    validateString(path, 'path');
    const windows = options?.windows;
    if (windows && path.startsWith('\\\\')) return uncToFileURL(path);
    const { resolve, sep } = windows ? internal.part('vendor/path_win32').win32 : internal.part('vendor/path');
    let resolved = resolve(path);
    // `resolve` takes a trailing slash away.
    if (/(\/|\\)$/.test(path) && (windows || path.endsWith('/')) && !resolved.endsWith(sep)) resolved += '/';
    return new URL(`file://${windows ? '/' : ''}${encodePath(resolved, windows)}`);
  }

  function uncToFileURL(path) {
    const { invalidArgValue } = internal.part('node_errors');
    const start = path.startsWith('\\\\?\\UNC\\') ? 8 : 2;
    const end = path.indexOf('\\', start);
    if (end === -1) throw invalidArgValue('path', path, 'Missing UNC resource path');
    if (end === 2) throw invalidArgValue('path', path, 'Empty UNC servername');
    const url = new URL('file://');
    url.hostname = domainToASCII(path.slice(start, end));
    url.pathname = encodePath(path.slice(end).replaceAll('\\', '/'), true);
    return url;
  }

  // Objects

  function urlToHttpOptions(url) {
    const { hostname, pathname, port, username, password, search } = url;
    const options = {
      __proto__: null,
      ...url,
      protocol: url.protocol,
      hostname: hostname && hostname[0] === '[' ? hostname.slice(1, -1) : hostname,
      hash: url.hash,
      search,
      pathname,
      path: `${pathname || ''}${search || ''}`,
      href: url.href,
    };
    if (port !== '') options.port = Number(port);
    if (username || password) options.auth = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return options;
  }

  function format(urlObject, options) {
    if (!isURL(urlObject)) return legacy().urlFormat(urlObject);
    const url = new URL(urlObject.href);
    if (!options) return url.href;
    validateObject(options, 'options');
    const wants = (name) => options[name] == null || Boolean(options[name]);
    if (!wants('fragment')) url.hash = '';
    if (!wants('search')) url.search = '';
    if (!wants('auth')) url.username = url.password = '';
    if (!options.unicode || url.hostname === '') return url.href;
    const host = url.host;
    const at = url.href.indexOf(host, url.protocol.length + 2);
    const shown = domainToUnicode(url.hostname) + host.slice(url.hostname.length);
    return url.href.slice(0, at) + shown + url.href.slice(at + host.length);
  }

  return {
    get Url() { return legacy().Url; },
    parse(url, parseQueryString, slashesDenoteHost) {
      return legacy().urlParse(url, parseQueryString, slashesDenoteHost);
    },
    resolve(source, relative) { return legacy().urlResolve(source, relative); },
    resolveObject(source, relative) { return legacy().urlResolveObject(source, relative); },
    format,
    URL,
    URLSearchParams,
    domainToASCII,
    domainToUnicode,
    pathToFileURL,
    fileURLToPath,
    urlToHttpOptions,
  };
})
