// The errors that Node's own functions throw, with their codes and words, and the checks of arguments that throw them.
(function (internal) {
  'use strict';
  const { defineProperty } = Reflect;
  const { isArray } = Array;
  const { isInteger } = Number;

  const inspect = (value, options) => internal.part('util').inspect(value, options);

  // As in Node the code is a property of a plain TypeError or RangeError, not a class of its own.
  function make(Base, code, message) {
    const error = new Base(message);
    error.code = code;
    defineProperty(error, 'toString', {
      value() { return `${this.name} [${code}]: ${this.message}`; },
      writable: true, enumerable: false, configurable: true,
    });
    return error;
  }

  function received(value) {
    if (value === null || value === undefined) return String(value);
    switch (typeof value) {
      case 'bigint': return `type bigint (${value}n)`;
      case 'number': return `type number (${Object.is(value, -0) ? '-0' : value})`;
      case 'boolean':
      case 'symbol': return `type ${typeof value} (${String(value)})`;
      case 'function': return `function ${value.name}`;
      case 'object':
        if (value.constructor && 'name' in value.constructor) return `an instance of ${value.constructor.name}`;
        return inspect(value, { depth: -1 });
      default: {
        const text = value.length > 28 ? `${value.slice(0, 25)}...` : value;
        return text.includes("'") ? `type string (${JSON.stringify(text)})` : `type string ('${text}')`;
      }
    }
  }

  function list(words) {
    if (words.length < 3) return words.join(' or ');
    return `${words.slice(0, -1).join(', ')}, or ${words[words.length - 1]}`;
  }

  const TYPES = ['string', 'function', 'number', 'object', 'Function', 'Object', 'boolean', 'bigint', 'symbol'];

  function invalidArgType(name, expected, actual) {
    if (!isArray(expected)) expected = [expected];
    const kind = name.includes('.') ? 'property' : 'argument';
    const subject = name.endsWith(' argument') ? name : `"${name}" ${kind}`;
    const types = [];
    const instances = [];
    const other = [];
    for (const word of expected) {
      if (TYPES.includes(word)) types.push(word.toLowerCase());
      else if (/^([A-Z][a-z0-9]*)+$/.test(word)) instances.push(word);
      else other.push(word);
    }
    const object = types.indexOf('object');
    if (instances.length > 0 && object !== -1) {
      types.splice(object, 1);
      instances.push('Object');
    }
    const parts = [];
    if (types.length > 0) parts.push(`${types.length > 1 ? 'one of type' : 'of type'} ${list(types)}`);
    if (instances.length > 0) parts.push(`an instance of ${list(instances)}`);
    if (other.length > 1) parts.push(`one of ${list(other)}`);
    else if (other.length === 1) parts.push(other[0].toLowerCase() === other[0] ? other[0] : `an ${other[0]}`);
    const message = `The ${subject} must be ${parts.join(' or ')}. Received ${received(actual)}`;
    return make(TypeError, 'ERR_INVALID_ARG_TYPE', message);
  }

  function invalidArgValue(name, value, reason = 'is invalid') {
    let shown = inspect(value);
    if (shown.length > 128) shown = `${shown.slice(0, 128)}...`;
    const kind = name.includes('.') ? 'property' : 'argument';
    return make(TypeError, 'ERR_INVALID_ARG_VALUE', `The ${kind} '${name}' ${reason}. Received ${shown}`);
  }

  function separated(digits) {
    let text = '';
    let end = digits.length;
    const start = digits[0] === '-' ? 1 : 0;
    for (; end >= start + 4; end -= 3) text = `_${digits.slice(end - 3, end)}${text}`;
    return `${digits.slice(0, end)}${text}`;
  }

  function outOfRange(name, range, input) {
    let shown;
    if (isInteger(input) && Math.abs(input) > 2 ** 32) {
      shown = separated(String(input));
    } else if (typeof input === 'bigint') {
      shown = String(input);
      if (input > 2n ** 32n || input < -(2n ** 32n)) shown = separated(shown);
      shown += 'n';
    } else {
      shown = inspect(input);
    }
    const message = `The value of "${name}" is out of range. It must be ${range}. Received ${shown}`;
    return make(RangeError, 'ERR_OUT_OF_RANGE', message);
  }

  function missingArgs(...names) {
    const shown = names.map((name) => (isArray(name) ? name.map((n) => `"${n}"`).join(' or ') : `"${name}"`));
    const last = shown.pop();
    const all = shown.length === 0 ? last
      : shown.length === 1 ? `${shown[0]} and ${last}` : `${shown.join(', ')}, and ${last}`;
    const s = names.length > 1 ? 's' : '';
    return make(TypeError, 'ERR_MISSING_ARGS', `The ${all} argument${s} must be specified`);
  }

  function invalidReturnValue(expected, name, value) {
    const message = `Expected ${expected} to be returned from the "${name}" function but got ${received(value)}.`;
    return make(TypeError, 'ERR_INVALID_RETURN_VALUE', message);
  }

  function abortError(cause) {
    const error = new Error('The operation was aborted', cause === undefined ? undefined : { cause });
    defineProperty(error, 'name', { value: 'AbortError', writable: true, enumerable: true, configurable: true });
    error.code = 'ABORT_ERR';
    return error;
  }

  function validateString(value, name) {
    if (typeof value !== 'string') throw invalidArgType(name, 'string', value);
  }

  function validateBoolean(value, name) {
    if (typeof value !== 'boolean') throw invalidArgType(name, 'boolean', value);
  }

  function validateFunction(value, name) {
    if (typeof value !== 'function') throw invalidArgType(name, 'Function', value);
  }

  function validateArray(value, name) {
    if (!isArray(value)) throw invalidArgType(name, 'Array', value);
  }

  function validateObject(value, name) {
    if (value === null || isArray(value) || typeof value !== 'object') throw invalidArgType(name, 'Object', value);
  }

  function validateNumber(value, name, min, max) {
    if (typeof value !== 'number') throw invalidArgType(name, 'number', value);
    const isOut = (min !== undefined && value < min) || (max !== undefined && value > max) ||
      ((min !== undefined || max !== undefined) && value !== value);
    if (isOut) {
      const range = [min === undefined ? '' : `>= ${min}`, max === undefined ? '' : `<= ${max}`];
      throw outOfRange(name, range.filter(Boolean).join(' && '), value);
    }
  }

  function validateInteger(value, name, min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER) {
    if (typeof value !== 'number') throw invalidArgType(name, 'number', value);
    if (!isInteger(value)) throw outOfRange(name, 'an integer', value);
    if (value < min || value > max) throw outOfRange(name, `>= ${min} && <= ${max}`, value);
  }

  function validateOneOf(value, name, allowed) {
    if (allowed.includes(value)) return;
    const words = allowed.map((word) => (typeof word === 'string' ? `'${word}'` : String(word))).join(', ');
    throw invalidArgValue(name, value, `must be one of: ${words}`);
  }

  // What has an `aborted` may be somebody else's signal: Node asks no more.
  function validateAbortSignal(signal, name) {
    if (signal !== undefined && (signal === null || typeof signal !== 'object' || !('aborted' in signal))) {
      throw invalidArgType(name, 'AbortSignal', signal);
    }
  }

  return {
    make, received, invalidArgType, invalidArgValue, outOfRange, missingArgs, invalidReturnValue, abortError,
    validateString, validateBoolean, validateFunction, validateArray, validateObject, validateNumber, validateInteger,
    validateOneOf, validateAbortSignal,
  };
})
