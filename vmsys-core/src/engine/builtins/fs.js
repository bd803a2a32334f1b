// Node's file functions: arguments are read and checked here as Node does it, the host does the rest.
(function (internal) {
  'use strict';
  const { call, part } = internal;
  const { apply, defineProperty, getPrototypeOf, setPrototypeOf } = Reflect;
  const { isInteger, isFinite } = Number;
  const { max, round } = Math;
  const { isView } = ArrayBuffer;
  const { now } = Date;
  const { setImmediate } = globalThis;
  const { Buffer } = part('buffer');
  const {
    make, abortError, invalidArgType, invalidArgValue, validateAbortSignal, validateBoolean, validateInteger,
    validateObject,
  } = part('node_errors');
  const { isDate, isUint8Array } = part('util_types');

  const bufferPrototype = Buffer.prototype;
  const { isEncoding, from: bufferFrom } = Buffer;
  const bytesToString = bufferPrototype.toString;
  const includesByte = getPrototypeOf(Uint8Array.prototype).includes;
  const timeOf = Date.prototype.getTime;

  const constants = {
    __proto__: null,
    F_OK: 0, X_OK: 1, W_OK: 2, R_OK: 4,
    COPYFILE_EXCL: 1, COPYFILE_FICLONE: 2, COPYFILE_FICLONE_FORCE: 4,
    UV_FS_COPYFILE_EXCL: 1, UV_FS_COPYFILE_FICLONE: 2, UV_FS_COPYFILE_FICLONE_FORCE: 4,
    O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_CREAT: 0o100, O_EXCL: 0o200, O_TRUNC: 0o1000, O_APPEND: 0o2000,
    UV_DIRENT_UNKNOWN: 0, UV_DIRENT_FILE: 1, UV_DIRENT_DIR: 2, UV_DIRENT_LINK: 3, UV_DIRENT_FIFO: 4,
    UV_DIRENT_SOCKET: 5, UV_DIRENT_CHAR: 6, UV_DIRENT_BLOCK: 7,
    S_IFMT: 0o170000, S_IFREG: 0o100000, S_IFDIR: 0o040000, S_IFCHR: 0o020000, S_IFBLK: 0o060000, S_IFIFO: 0o010000,
    S_IFLNK: 0o120000, S_IFSOCK: 0o140000,
    S_IRWXU: 0o700, S_IRUSR: 0o400, S_IWUSR: 0o200, S_IXUSR: 0o100,
    S_IRWXG: 0o070, S_IRGRP: 0o040, S_IWGRP: 0o020, S_IXGRP: 0o010,
    S_IRWXO: 0o007, S_IROTH: 0o004, S_IWOTH: 0o002, S_IXOTH: 0o001,
  };
  const { F_OK, R_OK, W_OK, X_OK, S_IFMT } = constants;

  const FLAGS = new Set([
    'r', 'rs', 'sr', 'r+', 'rs+', 'sr+', 'w', 'wx', 'xw', 'w+', 'wx+', 'xw+', 'a', 'ax', 'xa', 'as', 'sa', 'a+', 'ax+',
    'xa+', 'as+', 'sa+',
  ]);

  // Arguments

  function pathOf(value, name = 'path') {
    // As Node tells a URL of any class, but not what its old `url.parse` gives.
    if (value?.href && value.protocol && value.auth === undefined && value.path === undefined) {
      value = part('node_url').fileURLToPath(value);
    }
    const isText = typeof value === 'string';
    if (!isText && !isUint8Array(value)) throw invalidArgType(name, ['string', 'Buffer', 'URL'], value);
    if (isText ? value.includes('\0') : apply(includesByte, value, [0])) {
      throw invalidArgValue(name, value, 'must be a string, Uint8Array, or URL without null bytes');
    }
    return value;
  }

  function encodingOf(encoding) {
    if (encoding && encoding !== 'buffer' && !isEncoding(encoding)) {
      throw invalidArgValue('encoding', encoding, 'is invalid encoding');
    }
    return encoding;
  }

  // Options are an object, or the encoding alone. Each is read once: it may be a getter.
  function optionsOf(options) {
    if (options === null || options === undefined || typeof options === 'function') return { __proto__: null };
    if (typeof options === 'string') return { __proto__: null, encoding: encodingOf(options) };
    if (typeof options !== 'object') throw invalidArgType('options', ['string', 'Object'], options);
    const { encoding, flag, mode, flush, recursive, withFileTypes, signal } = options;
    if (signal !== undefined) validateAbortSignal(signal, 'options.signal');
    return { encoding: encodingOf(encoding), flag, mode, flush, recursive, withFileTypes, signal };
  }

  function flagOf(flag, fallback) {
    flag ??= fallback;
    if (typeof flag === 'number') {
      validateInteger(flag, 'flags', -(2 ** 31), 2 ** 31 - 1);
      return flag;
    }
    if (!FLAGS.has(flag)) throw invalidArgValue('flags', flag);
    return flag;
  }

  function modeOf(mode, fallback) {
    mode ??= fallback;
    if (typeof mode === 'string') {
      for (let at = 0; at < mode.length || mode === ''; at++) {
        if (!(mode[at] >= '0' && mode[at] <= '7')) {
          throw invalidArgValue('mode', mode, 'must be a 32-bit unsigned integer or an octal string');
        }
      }
      mode = parseInt(mode, 8);
    }
    validateInteger(mode, 'mode', 0, 2 ** 32 - 1);
    return mode;
  }

  function bitsOf(mode) {
    if (mode === undefined || mode === null) return 0;
    if (mode !== (mode | 0)) throw make(TypeError, 'ERR_INVALID_ARG_TYPE', 'mode must be int32 or null/undefined');
    if (mode < 0 || mode > 7) throw make(RangeError, 'ERR_OUT_OF_RANGE', 'mode is out of range: >= 0 && <= 7');
    return mode;
  }

  function dataOf(data, encoding) {
    if (typeof data === 'string') return isUtf8(encoding ?? 'utf8') ? data : apply(bufferFrom, Buffer, [data, encoding]);
    if (isView(data)) return data;
    throw invalidArgType('data', ['string', 'Buffer', 'TypedArray', 'DataView'], data);
  }

  function secondsOf(time) {
    if (typeof time === 'string' && +time == time) return +time;
    if (isFinite(time)) return time < 0 ? now() / 1000 : time;
    if (isDate(time)) return apply(timeOf, time, []) / 1000;
    throw invalidArgType('time', ['Date', 'Time in seconds'], time);
  }

  // Answers

  const isUtf8 = (encoding) => encoding === 'utf8' || encoding === 'utf-8';
  const asBuffer = (bytes) => setPrototypeOf(bytes, bufferPrototype) && bytes;
  const isText = (encoding) => !encoding || isUtf8(encoding);

  // A name that came as bytes unless it is wanted as UTF-8, which it came as.
  function nameIn(encoding, name) {
    if (isText(encoding)) return name;
    return encoding === 'buffer' ? asBuffer(name) : apply(bytesToString, asBuffer(name), [encoding]);
  }

  class StatsBase {
    isFile() { return kindIn(this) === constants.S_IFREG; }
    isDirectory() { return kindIn(this) === constants.S_IFDIR; }
    isSymbolicLink() { return kindIn(this) === constants.S_IFLNK; }
    isFIFO() { return kindIn(this) === constants.S_IFIFO; }
    isSocket() { return kindIn(this) === constants.S_IFSOCK; }
    isCharacterDevice() { return kindIn(this) === constants.S_IFCHR; }
    isBlockDevice() { return kindIn(this) === constants.S_IFBLK; }
  }
  const kindIn = (stats) => Number(stats.mode) & S_IFMT;

  function fill(stats, found) {
    const names = ['dev', 'mode', 'nlink', 'uid', 'gid', 'rdev', 'blksize', 'ino', 'size', 'blocks'];
    for (let at = 0; at < names.length; at++) stats[names[at]] = found[at];
  }

  class Stats extends StatsBase {
    constructor(found) {
      super();
      fill(this, found);
      const ms = (at) => found[at] * 1e3 + found[at + 1] / 1e6;
      [this.atimeMs, this.mtimeMs, this.ctimeMs, this.birthtimeMs] = [ms(10), ms(12), ms(14), ms(16)];
      this.atime = new Date(round(this.atimeMs));
      this.mtime = new Date(round(this.mtimeMs));
      this.ctime = new Date(round(this.ctimeMs));
      this.birthtime = new Date(round(this.birthtimeMs));
    }
  }

  class BigIntStats extends StatsBase {
    constructor(found) {
      super();
      fill(this, found);
      const ns = (at) => found[at] * 1_000_000_000n + found[at + 1];
      const times = [['atime', ns(10)], ['mtime', ns(12)], ['ctime', ns(14)], ['birthtime', ns(16)]];
      for (const [name, value] of times) this[`${name}Ms`] = value / 1_000_000n;
      for (const [name, value] of times) this[`${name}Ns`] = value;
      for (const [name, value] of times) this[name] = new Date(Number(value / 1_000_000n));
    }
  }

  const kKind = Symbol('type');

  class Dirent {
    constructor(name, parentPath, kind) {
      this.name = name;
      this.parentPath = parentPath;
      this.path = parentPath;
      this[kKind] = kind;
    }
    isFile() { return this[kKind] === constants.UV_DIRENT_FILE; }
    isDirectory() { return this[kKind] === constants.UV_DIRENT_DIR; }
    isSymbolicLink() { return this[kKind] === constants.UV_DIRENT_LINK; }
    isFIFO() { return this[kKind] === constants.UV_DIRENT_FIFO; }
    isSocket() { return this[kKind] === constants.UV_DIRENT_SOCKET; }
    isCharacterDevice() { return this[kKind] === constants.UV_DIRENT_CHAR; }
    isBlockDevice() { return this[kKind] === constants.UV_DIRENT_BLOCK; }
  }

  // The path of the directory in which an entry of a listing lies, and the entry's own name.
  function split(base, entry) {
    const slash = entry.lastIndexOf(typeof entry === 'string' ? '/' : 0x2f);
    if (slash < 0) return [base, entry];
    const inner = entry.slice(0, slash);
    const joined = part('vendor/path').join(`${typeof base === 'string' ? base : utf8(base)}`,
      typeof inner === 'string' ? inner : utf8(inner));
    return [joined, entry.slice(slash + 1)];
  }
  const utf8 = (bytes) => apply(bytesToString, bytes, []);

  function describe(path, options, follow) {
    path = pathOf(path);
    const { bigint = false, throwIfNoEntry = true } = options ?? {};
    try {
      const found = call('fs', 'stat', path, follow, Boolean(bigint));
      return bigint ? new BigIntStats(found) : new Stats(found);
    } catch (error) {
      if (throwIfNoEntry === false && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  function removalOf(options) {
    if (options === undefined) return { recursive: false, force: false };
    validateObject(options, 'options');
    const { recursive = false, force = false, retryDelay = 100, maxRetries = 0 } = options;
    validateBoolean(recursive, 'options.recursive');
    validateBoolean(force, 'options.force');
    // What is tried again on some systems fails for good, or not at all, on those that this runs on.
    validateInteger(retryDelay, 'options.retryDelay', 0, 2 ** 31 - 1);
    validateInteger(maxRetries, 'options.maxRetries', 0, 2 ** 32 - 1);
    return { recursive, force };
  }

  function write(path, data, options, defaultFlag) {
    const { encoding, flag, mode, flush } = optionsOf(options);
    const shouldFlush = flush ?? false;
    validateBoolean(shouldFlush, 'options.flush');
    const bytes = dataOf(data, encoding);
    call('fs', 'writeFile', pathOf(path), bytes, flagOf(flag || undefined, defaultFlag), modeOf(mode, 0o666), shouldFlush);
  }

  const sync = {
    accessSync(path, mode) {
      call('fs', 'access', pathOf(path), bitsOf(mode));
    },
    appendFileSync(path, data, options) {
      write(path, data, options, 'a');
    },
    chmodSync(path, mode) {
      call('fs', 'chmod', pathOf(path), modeOf(mode));
    },
    copyFileSync(src, dest, mode) {
      call('fs', 'copyFile', pathOf(src, 'src'), pathOf(dest, 'dest'), bitsOf(mode));
    },
    existsSync(path) {
      try {
        return call('fs', 'exists', pathOf(path));
      } catch {
        return false;
      }
    },
    lstatSync(path, options) {
      return describe(path, options, false);
    },
    mkdirSync(path, options) {
      let mode;
      let recursive = false;
      if (typeof options === 'number' || typeof options === 'string') {
        mode = options;
      } else if (options) {
        const { recursive: given, mode: givenMode } = options;
        if (given !== undefined) recursive = given;
        mode = givenMode;
      }
      path = pathOf(path);
      validateBoolean(recursive, 'options.recursive');
      return call('fs', 'mkdir', path, recursive, modeOf(mode, 0o777)) ?? undefined;
    },
    mkdtempSync(prefix, options) {
      const { encoding } = optionsOf(options);
      return nameIn(encoding, call('fs', 'mkdtemp', pathOf(prefix, 'prefix'), !isText(encoding)));
    },
    readFileSync(path, options) {
      const { encoding, flag } = optionsOf(options);
      const asText = isUtf8(encoding);
      const found = call('fs', 'readFile', pathOf(path), flagOf(flag, 'r'), asText);
      return asText ? found : encoding ? nameIn(encoding, found) : asBuffer(found);
    },
    readdirSync(path, options) {
      const { encoding, recursive, withFileTypes } = optionsOf(options);
      path = pathOf(path);
      if (recursive !== undefined && recursive !== null) validateBoolean(recursive, 'options.recursive');
      const [names, kinds] = call('fs', 'readdir', path, Boolean(recursive), !isText(encoding));
      for (let at = 0; at < names.length; at++) {
        if (withFileTypes) {
          const [parent, name] = split(path, names[at]);
          names[at] = new Dirent(nameIn(encoding, name), parent, kinds[at]);
        } else {
          names[at] = nameIn(encoding, names[at]);
        }
      }
      return names;
    },
    readlinkSync(path, options) {
      const { encoding } = optionsOf(options);
      return nameIn(encoding, call('fs', 'readlink', pathOf(path), !isText(encoding)));
    },
    realpathSync(path, options) {
      const { encoding } = optionsOf(options);
      return nameIn(encoding, call('fs', 'realpath', pathOf(path), !isText(encoding)));
    },
    renameSync(oldPath, newPath) {
      call('fs', 'rename', pathOf(oldPath, 'oldPath'), pathOf(newPath, 'newPath'));
    },
    rmSync(path, options) {
      path = pathOf(path);
      const { recursive, force } = removalOf(options);
      call('fs', 'rm', path, recursive, force);
    },
    rmdirSync(path, options) {
      path = pathOf(path);
      if (options?.recursive) {
        const { recursive } = removalOf(options);
        call('fs', 'rm', path, recursive, false);
      } else {
        call('fs', 'rmdir', path);
      }
    },
    statSync(path, options) {
      return describe(path, options, true);
    },
    truncateSync(path, len) {
      len ??= 0;
      validateInteger(len, 'len');
      call('fs', 'truncate', pathOf(path), max(0, len));
    },
    unlinkSync(path) {
      call('fs', 'unlink', pathOf(path));
    },
    utimesSync(path, atime, mtime) {
      call('fs', 'utimes', pathOf(path), secondsOf(atime), secondsOf(mtime));
    },
    writeFileSync(path, data, options) {
      write(path, data, options, 'w');
    },
  };

  // The other two forms. The work is done when they are called, so that the order of effects is the order of calls;
  // what came of it is told later.

  // How many arguments come before the options, in functions that take a signal with them.
  const SIGNALS = { readFile: 1, writeFile: 2, appendFile: 2 };
  // How many arguments come before the callback at least.
  const REQUIRED = { chmod: 2, copyFile: 2, rename: 2, utimes: 3, writeFile: 2, appendFile: 2 };
  const ANSWERS = new Set(['lstat', 'mkdir', 'mkdtemp', 'readFile', 'readdir', 'readlink', 'realpath', 'stat']);
  const THROWN = new Set(['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE', 'ERR_OUT_OF_RANGE']);

  function checkSignal(name, args) {
    const options = args[SIGNALS[name]];
    const signal = typeof options === 'object' && options !== null ? options.signal : undefined;
    if (signal?.aborted) throw abortError(signal.reason);
  }

  const named = (name, body) => {
    defineProperty(body, 'name', { value: name, configurable: true });
    return body;
  };

  const withPromise = (name, body) => named(name, async (...args) => {
    if (name in SIGNALS) checkSignal(name, args);
    return apply(body, undefined, args);
  });

  const callbackIn = (args, required) => {
    const callback = args.length > required ? args[args.length - 1] : undefined;
    if (typeof callback !== 'function') throw invalidArgType('cb', 'Function', callback);
    return callback;
  };

  const withCallback = (name, body) => named(name, function (...args) {
    const callback = callbackIn(args, REQUIRED[name] ?? 1);
    args.length--;
    let result;
    try {
      if (name in SIGNALS) checkSignal(name, args);
      result = apply(body, undefined, args);
    } catch (error) {
      if (THROWN.has(error?.code)) throw error;
      setImmediate(() => callback(error));
      return;
    }
    setImmediate(() => (ANSWERS.has(name) ? callback(null, result) : callback(null)));
  });

  const fs = {};
  const promises = {};
  for (const nameSync of Object.keys(sync)) {
    const name = nameSync.slice(0, -4);
    const body = sync[nameSync];
    if (name === 'exists') {
      fs.exists = named('exists', function (path, callback) {
        if (typeof callback !== 'function') throw invalidArgType('cb', 'Function', callback);
        const found = body(path);
        setImmediate(() => callback(found));
      });
    } else {
      fs[name] = withCallback(name, body);
      promises[name] = withPromise(name, body);
    }
    fs[nameSync] = body;
  }
  fs.realpathSync.native = fs.realpathSync;
  fs.realpath.native = fs.realpath;
  promises.constants = constants;
  return Object.assign(fs, { Dirent, Stats, F_OK, R_OK, W_OK, X_OK, constants, promises });
})
