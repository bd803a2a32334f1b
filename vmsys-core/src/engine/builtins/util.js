// `util`: the engine's own inspector as `inspect`, `format` over it, and what libraries ask of the module.
(function (internal) {
  'use strict';
  const { apply, defineProperty, getPrototypeOf, setPrototypeOf } = Reflect;
  const { hasOwn } = Object;
  const { isArray } = Array;
  const { inspect: nativeInspect, proxyTarget } = internal.natives;
  const types = internal.part('util_types');
  const { isProxy } = types;
  const errors = internal.part('node_errors');
  const { invalidArgType, invalidArgValue, validateFunction, validateObject, validateOneOf, validateString } = errors;

  const customInspect = Symbol.for('nodejs.util.inspect.custom');
  const customPromisify = Symbol.for('nodejs.util.promisify.custom');

  // inspect

  const defaults = {
    showHidden: false,
    depth: 2,
    colors: false,
    customInspect: true,
    showProxy: false,
    maxArrayLength: 100,
    maxStringLength: 10000,
    breakLength: 80,
    compact: 3,
    sorted: false,
    getters: false,
    numericSeparator: false,
  };

  // What a custom inspection function returns may need another one, and so on: more rounds are a loop.
  const MAX_ROUNDS = 64;

  // In the order in which the inspector knows them.
  const STYLES = ['special', 'number', 'bigint', 'boolean', 'undefined', 'null', 'string', 'symbol', 'date', 'regexp'];

  function inspect(value, options) {
    const context = { ...defaults };
    if (arguments.length > 1) {
      if (arguments.length > 2) {
        // inspect(value, showHidden, depth, colors)
        if (arguments[2] !== undefined) context.depth = arguments[2];
        if (arguments.length > 3 && arguments[3] !== undefined) context.colors = arguments[3];
      }
      if (typeof options === 'boolean') {
        context.showHidden = options;
      } else if (options) {
        for (const key of Object.keys(options)) {
          if (hasOwn(defaults, key) || key === 'stylize') context[key] = options[key];
        }
      }
    }
    return run(value, context);
  }

  function count(value) {
    return value === null ? Infinity : Number(value);
  }

  function run(value, context) {
    if (typeof context.sorted === 'function') {
      throw invalidArgValue('options.sorted', context.sorted, 'must be a boolean: a comparator is not supported');
    }
    const { compact } = context;
    const settings = [
      context.depth === null ? Infinity : Number(context.depth),
      count(context.maxArrayLength),
      count(context.maxStringLength),
      count(context.breakLength),
      compact === true ? -1 : compact === false ? 0 : Number(compact),
      Boolean(context.showHidden),
      Boolean(context.showProxy),
      Boolean(context.sorted),
      Boolean(context.colors),
      Boolean(context.numericSeparator),
      context.getters === true ? 3 : context.getters === 'get' ? 1 : context.getters === 'set' ? 2 : 0,
    ];
    if (context.colors) {
      for (const name of STYLES) {
        const color = inspect.colors[inspect.styles[name]];
        settings.push(color ? `\u001b[${color[0]}m` : '', color ? `\u001b[${color[1]}m` : '');
      }
    }
    const symbol = context.customInspect ? customInspect : undefined;
    // The inspector itself calls nothing of the guest's. What it would have to call it names, as objects with their depth
    // or with a property, and is asked again with the answers, until it names no more.
    const answers = [];
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const shown = nativeInspect(value, settings, symbol, answers);
      if (typeof shown === 'string') return shown;
      for (let at = 0; at < shown.length; at += 3) {
        const object = shown[at];
        const key = shown[at + 1];
        answers.push(object, key, key === undefined ? custom(object, shown[at + 2], context) : got(object, key, context));
      }
    }
    throw new RangeError('Custom inspection functions return one another without an end');
  }

  // Returns what a custom inspection function makes of an object: the object itself, text, or another value to show.
  function custom(object, depth, context) {
    const method = object[customInspect];
    if (typeof method !== 'function' || method === inspect) return object;
    const { stylize } = context;
    const options = { ...context, stylize: stylize ?? (context.colors ? withColor : withoutColor) };
    return apply(method, object, [context.depth === null ? null : depth, options, inspect]);
  }

  // Returns what a getter answers, within an array, or why it does not.
  function got(object, key, context) {
    try {
      return [object[key]];
    } catch (error) {
      return `<Inspection threw (${error?.message})>`;
    }
  }

  function withColor(text, styleType) {
    const style = inspect.styles[styleType];
    if (style === undefined) return text;
    const color = inspect.colors[style];
    return `\u001b[${color[0]}m${text}\u001b[${color[1]}m`;
  }

  function withoutColor(text) {
    return text;
  }

  inspect.custom = customInspect;
  defineProperty(inspect, 'defaultOptions', {
    get() { return defaults; },
    set(options) {
      validateObject(options, 'options');
      Object.assign(defaults, options);
    },
    enumerable: true,
    configurable: true,
  });
  inspect.colors = Object.assign(Object.create(null), {
    reset: [0, 0], bold: [1, 22], dim: [2, 22], italic: [3, 23], underline: [4, 24], blink: [5, 25], inverse: [7, 27],
    hidden: [8, 28], strikethrough: [9, 29], doubleunderline: [21, 24], black: [30, 39], red: [31, 39], green: [32, 39],
    yellow: [33, 39], blue: [34, 39], magenta: [35, 39], cyan: [36, 39], white: [37, 39], bgBlack: [40, 49],
    bgRed: [41, 49], bgGreen: [42, 49], bgYellow: [43, 49], bgBlue: [44, 49], bgMagenta: [45, 49], bgCyan: [46, 49],
    bgWhite: [47, 49], framed: [51, 54], overlined: [53, 55], gray: [90, 39], redBright: [91, 39], greenBright: [92, 39],
    yellowBright: [93, 39], blueBright: [94, 39], magentaBright: [95, 39], cyanBright: [96, 39], whiteBright: [97, 39],
    bgGray: [100, 49], bgRedBright: [101, 49], bgGreenBright: [102, 49], bgYellowBright: [103, 49],
    bgBlueBright: [104, 49], bgMagentaBright: [105, 49], bgCyanBright: [106, 49], bgWhiteBright: [107, 49],
  });
  const alias = (target, name) => defineProperty(inspect.colors, name, {
    get() { return this[target]; },
    set(value) { this[target] = value; },
    configurable: true,
    enumerable: false,
  });
  for (const [target, name] of [['gray', 'grey'], ['gray', 'blackBright'], ['bgGray', 'bgGrey'],
    ['bgGray', 'bgBlackBright'], ['dim', 'faint'], ['strikethrough', 'crossedout'], ['strikethrough', 'strikeThrough'],
    ['strikethrough', 'crossedOut'], ['hidden', 'conceal'], ['inverse', 'swapColors'], ['inverse', 'swapcolors'],
    ['doubleunderline', 'doubleUnderline']]) alias(target, name);
  inspect.styles = Object.assign(Object.create(null), {
    special: 'cyan', number: 'yellow', bigint: 'yellow', boolean: 'yellow', undefined: 'grey', null: 'bold',
    string: 'green', symbol: 'green', date: 'magenta', regexp: 'red', module: 'underline',
  });

  // format

  function format(...args) {
    return formatted(undefined, args);
  }

  function formatWithOptions(inspectOptions, ...args) {
    if (typeof inspectOptions !== 'object' || inspectOptions === null) {
      throw invalidArgType('inspectOptions', 'object', inspectOptions);
    }
    return formatted(inspectOptions, args);
  }

  const show = (value, options) => (options === undefined ? inspect(value) : inspect(value, options));
  const showNumber = (value, options) => show(value, { ...options, colors: false });

  function formatted(options, args) {
    const first = args[0];
    let used = 0;
    let text = '';
    if (typeof first === 'string') {
      if (args.length === 1) return first;
      let last = 0;
      for (let at = first.indexOf('%'); at !== -1 && at < first.length - 1; at = first.indexOf('%', at + 2)) {
        const verb = first[at + 1];
        if (verb === '%') {
          text += first.slice(last, at + 1);
          last = at + 2;
          continue;
        }
        if (used + 1 === args.length) continue;
        const filled = fill(verb, args, used + 1, options);
        if (filled === undefined) continue;
        used++;
        text += first.slice(last, at) + filled;
        last = at + 2;
      }
      if (last !== 0) {
        used++;
        text += first.slice(last);
      }
    }
    for (let join = used === 0 ? '' : ' '; used < args.length; used++, join = ' ') {
      const value = args[used];
      text += join + (typeof value === 'string' ? value : show(value, options));
    }
    return text;
  }

  // Returns what a placeholder becomes; undefined if it is none.
  function fill(verb, args, at, options) {
    const value = args[at];
    switch (verb) {
      case 's':
        if (typeof value === 'number' || typeof value === 'bigint') return showNumber(value, options);
        if (typeof value !== 'object' || value === null || !hasBuiltInToString(value)) return String(value);
        return inspect(value, { ...options, depth: 0, colors: false, compact: 3 });
      case 'd':
        if (typeof value === 'symbol') return 'NaN';
        return showNumber(typeof value === 'bigint' ? value : Number(value), options);
      case 'i':
        if (typeof value === 'symbol') return 'NaN';
        return showNumber(typeof value === 'bigint' ? value : Number.parseInt(value), options);
      case 'f':
        return showNumber(typeof value === 'symbol' ? NaN : Number.parseFloat(value), options);
      case 'j': return stringify(value);
      case 'O': return show(value, options);
      case 'o': return inspect(value, { ...options, showHidden: true, showProxy: true, depth: 4 });
      case 'c': return '';
      default: return undefined;
    }
  }

  function stringify(value) {
    try {
      return JSON.stringify(value);
    } catch (error) {
      if (error instanceof TypeError && /circular/.test(error.message)) return '[Circular]';
      throw error;
    }
  }

  const builtIns = new Set(Reflect.ownKeys(globalThis).filter((name) => typeof name === 'string' && /^[A-Z]/.test(name)));

  // Whether a value's toString is the engine's own, so that inspecting it says more. No trap of a proxy's is called.
  function hasBuiltInToString(value) {
    if (isProxy(value)) value = proxyTarget(value);
    if (value === null) return true;
    const isConvertible = typeof value[Symbol.toPrimitive] === 'function';
    const isText = typeof value.toString === 'function';
    const owns = (object) => (isText && hasOwn(object, 'toString')) || (isConvertible && hasOwn(object, Symbol.toPrimitive));
    if (!isText && !isConvertible) return true;
    if (owns(value)) return false;
    let at = getPrototypeOf(value);
    while (at !== null && !owns(at)) at = getPrototypeOf(at);
    const constructor = at === null ? undefined : Reflect.getOwnPropertyDescriptor(at, 'constructor');
    return constructor !== undefined && typeof constructor.value === 'function' && builtIns.has(constructor.value.name);
  }

  // Functions and promises

  const { setImmediate } = internal.part('timers');

  function promisify(original) {
    validateFunction(original, 'original');
    const own = customOf(original);
    if (own !== undefined) {
      validateFunction(own, 'util.promisify.custom');
      return defineProperty(own, customPromisify, { value: own, enumerable: false, writable: false, configurable: true }) && own;
    }
    function promisified(...args) {
      return new Promise((resolve, reject) => {
        apply(original, this, [...args, (error, ...values) => {
          if (error) reject(error);
          else resolve(values[0]);
        }]);
      });
    }
    setPrototypeOf(promisified, getPrototypeOf(original));
    defineProperty(promisified, customPromisify, {
      value: promisified, enumerable: false, writable: false, configurable: true,
    });
    copyDescriptors(original, promisified);
    return promisified;
  }
  promisify.custom = customPromisify;

  function customOf(original) {
    if (original[customPromisify]) return original[customPromisify];
    const timers = internal.part('timers');
    if (original === timers.setTimeout) return internal.part('timers_promises').setTimeout;
    if (original === timers.setImmediate) return internal.part('timers_promises').setImmediate;
    return undefined;
  }

  // The function's own `prototype` and the like stay what they are when they cannot be changed.
  function copyDescriptors(from, to, change) {
    for (const key of Reflect.ownKeys(from)) {
      const descriptor = Reflect.getOwnPropertyDescriptor(from, key);
      if (descriptor !== undefined) defineProperty(to, key, change ? change(key, descriptor) : descriptor);
    }
  }

  function callbackify(original) {
    validateFunction(original, 'original');
    function callbackified(...args) {
      const last = args.pop();
      validateFunction(last, 'last argument');
      const done = (...results) => setImmediate(() => apply(last, this, results));
      apply(original, this, args).then((value) => done(null, value), (reason) => done(reason || falsyRejection(reason)));
    }
    copyDescriptors(original, callbackified, (key, descriptor) => {
      if (key === 'length' && typeof descriptor.value === 'number') descriptor.value++;
      if (key === 'name' && typeof descriptor.value === 'string') descriptor.value += 'Callbackified';
      return descriptor;
    });
    return callbackified;
  }

  function falsyRejection(reason) {
    const error = errors.make(Error, 'ERR_FALSY_VALUE_REJECTION', 'Promise was rejected with falsy value');
    error.reason = reason;
    return error;
  }

  function inherits(ctor, superCtor) {
    if (ctor === undefined || ctor === null) throw invalidArgType('ctor', 'Function', ctor);
    if (superCtor === undefined || superCtor === null) throw invalidArgType('superCtor', 'Function', superCtor);
    if (superCtor.prototype === undefined) {
      throw invalidArgType('superCtor.prototype', 'Object', superCtor.prototype);
    }
    defineProperty(ctor, 'super_', { value: superCtor, writable: true, configurable: true });
    Object.setPrototypeOf(ctor.prototype, superCtor.prototype);
  }

  const warnedCodes = new Set();

  // The warning goes to `console.warn`, once, and once for a code.
  function deprecate(fn, message, code) {
    validateFunction(fn, 'fn');
    if (code !== undefined) validateString(code, 'code');
    let warned = false;
    function deprecated(...args) {
      if (!warned) {
        warned = true;
        const isNew = code === undefined || !warnedCodes.has(code);
        if (code !== undefined) warnedCodes.add(code);
        if (isNew) warn(`${code === undefined ? '' : `[${code}] `}DeprecationWarning: ${message}`);
      }
      return new.target ? Reflect.construct(fn, args, new.target) : apply(fn, this, args);
    }
    setPrototypeOf(deprecated, fn);
    if (fn.prototype) deprecated.prototype = fn.prototype;
    return deprecated;
  }

  function warn(text) {
    globalThis.console?.warn?.(text);
  }

  // Sections are enabled by `NODE_DEBUG` in `process.env`, as it is when the section is first used.
  function debuglog(section, callback) {
    const name = String(section).toUpperCase();
    let enabled;
    const isEnabled = () => {
      if (enabled === undefined) {
        const wanted = String(globalThis.process?.env?.NODE_DEBUG ?? '').toUpperCase().split(/[\s,]+/).filter(Boolean);
        enabled = wanted.some((pattern) => pattern === name || (pattern.includes('*') && matches(pattern, name)));
      }
      return enabled;
    };
    const log = (...args) => {
      if (isEnabled()) globalThis.console?.error?.(`${name}: ${format(...args)}`);
      if (typeof callback === 'function') {
        const given = callback;
        callback = undefined;
        given(log);
      }
    };
    defineProperty(log, 'enabled', { get: isEnabled, configurable: true, enumerable: true });
    return log;
  }

  function matches(pattern, name) {
    const source = pattern.replace(/[|\\{}()[\]^$+?.]/g, '\\$&').replaceAll('*', '.*');
    return new RegExp(`^${source}$`).test(name);
  }

  // Text

  const escapeCodes = /[\u001b\u009b][[\]()#;?]*(?:(?:(?:(?:;[-a-zA-Z\d/#&.:=?%@~_]+)*|[a-zA-Z\d]+(?:;[-a-zA-Z\d/#&.:=?%@~_]*)*)?(?:\u0007|\u001b\u005c|\u009c))|(?:(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PR-TZcf-nq-uy=><~]))/g;

  function stripVTControlCharacters(text) {
    validateString(text, 'str');
    return text.replace(escapeCodes, '');
  }

  // There is no terminal to ask: unlike in Node the stream plays no part, and the text is always styled.
  function styleText(styles, text) {
    validateString(text, 'text');
    let left = '';
    let right = '';
    for (const style of isArray(styles) ? styles : [styles]) {
      const codes = inspect.colors[style];
      if (codes == null) validateOneOf(style, 'format', Object.keys(inspect.colors));
      left += `\u001b[${codes[0]}m`;
      right = `\u001b[${codes[1]}m${right}`;
    }
    return `${left}${text}${right}`;
  }

  const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

  function log(...args) {
    const now = new Date();
    const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map((n) => String(n).padStart(2, '0')).join(':');
    globalThis.console?.log?.('%s - %s', `${now.getDate()} ${MONTHS[now.getMonth()]} ${time}`, format(...args));
  }

  function _extend(target, source) {
    if (source === null || typeof source !== 'object') return target;
    return Object.assign(target, source);
  }

  // Resolves when the signal is aborted, while `resource` is alive to anybody.
  async function aborted(signal, resource) {
    if (signal === undefined || signal === null) throw invalidArgType('signal', 'AbortSignal', signal);
    errors.validateAbortSignal(signal, 'signal');
    validateObject(resource, 'resource');
    if (signal.aborted) return undefined;
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  const util = {
    _extend,
    aborted,
    callbackify,
    debug: debuglog,
    debuglog,
    deprecate,
    format,
    formatWithOptions,
    inherits,
    inspect,
    isArray,
    isBoolean: (value) => typeof value === 'boolean',
    isBuffer: (value) => internal.part('buffer').Buffer.isBuffer(value),
    isDate: types.isDate,
    isDeepStrictEqual: (a, b) => internal.part('vendor/deep_equal').isDeepStrictEqual(a, b),
    isError: (value) => types.isNativeError(value) || value instanceof Error,
    isFunction: (value) => typeof value === 'function',
    isNull: (value) => value === null,
    isNullOrUndefined: (value) => value === null || value === undefined,
    isNumber: (value) => typeof value === 'number',
    isObject: (value) => value !== null && typeof value === 'object',
    isPrimitive: (value) => value === null || (typeof value !== 'object' && typeof value !== 'function'),
    isRegExp: types.isRegExp,
    isString: (value) => typeof value === 'string',
    isSymbol: (value) => typeof value === 'symbol',
    isUndefined: (value) => value === undefined,
    log,
    parseArgs: (config) => internal.part('vendor/parse_args').parseArgs(config),
    promisify,
    stripVTControlCharacters,
    styleText,
    toUSVString: (text) => `${text}`.toWellFormed(),
    types,
  };
  for (const name of ['TextDecoder', 'TextEncoder']) {
    const replace = (value) => defineProperty(util, name, { value, writable: true, enumerable: true, configurable: true });
    defineProperty(util, name, {
      get() {
        const value = internal.part('encoding')[name];
        replace(value);
        return value;
      },
      set: replace,
      enumerable: true,
      configurable: true,
    });
  }
  return util;
})
