// `assert`.
//
// Adapted from Node.js v20.20.2, lib/assert.js (MIT, see LICENSE-NODE beside this file): calls of captured built-ins are method
// calls, and Node's own helpers come from our parts.
(function (internal) {
  'use strict';
  const { apply } = Reflect;
  const { isPrototypeOf } = Object.prototype;
  const {
    invalidArgType, invalidArgValue, invalidReturnValue, make, missingArgs, validateFunction,
  } = internal.part('node_errors');
  const { AssertionError } = internal.part('vendor/assertion_error');
  const { inspect } = internal.part('util');
  const { isDeepEqual, isDeepStrictEqual } = internal.part('vendor/deep_equal');
  const { isNativeError, isPromise, isRegExp } = internal.part('util_types');

  const isError = (value) => isNativeError(value) || value instanceof Error;

  function ambiguous(name, reason) {
    return make(TypeError, 'ERR_AMBIGUOUS_ARGUMENT', `The "${name}" argument is ambiguous. ${reason}`);
  }

  const assert = ok;

  // Without a message Node reads the caller's source from its file; here the two values are shown.
  function innerOk(fn, argLen, value, message) {
    if (value) return;
    let generatedMessage = false;
    if (argLen === 0) {
      generatedMessage = true;
      message = 'No value argument passed to `assert.ok()`';
    } else if (message == null) {
      generatedMessage = true;
    } else if (isError(message)) {
      throw message;
    }
    const error = new AssertionError({ actual: value, expected: true, message, operator: '==', stackStartFn: fn });
    error.generatedMessage = generatedMessage;
    throw error;
  }

  const NO_EXCEPTION_SENTINEL = {};

  // All of the following functions must throw an AssertionError
  // when a corresponding condition is not met, with a message that
  // may be undefined if not provided. All assertion methods provide
  // both the actual and expected values to the assertion error for
  // display purposes.

  function innerFail(obj) {
    if (obj.message instanceof Error) throw obj.message;

    throw new AssertionError(obj);
  }

  function fail(actual, expected, message, operator, stackStartFn) {
    const argsLen = arguments.length;

    let internalMessage = false;
    if (actual == null && argsLen <= 1) {
      internalMessage = true;
      message = 'Failed';
    } else if (argsLen === 1) {
      message = actual;
      actual = undefined;
    } else {
      if (argsLen === 2)
        operator = '!=';
    }

    if (message instanceof Error) throw message;

    const errArgs = {
      actual,
      expected,
      operator: operator === undefined ? 'fail' : operator,
      stackStartFn: stackStartFn || fail,
      message,
    };
    const err = new AssertionError(errArgs);
    if (internalMessage) {
      err.generatedMessage = true;
    }
    throw err;
  }

  assert.fail = fail;

  // The AssertionError is defined in internal/error.
  assert.AssertionError = AssertionError;

  function ok(...args) {
    innerOk(ok, args.length, ...args);
  }
  assert.ok = ok;

  assert.equal = function equal(actual, expected, message) {
    if (arguments.length < 2) {
      throw missingArgs('actual', 'expected');
    }
    if (actual != expected && (!Number.isNaN(actual) || !Number.isNaN(expected))) {
      innerFail({
        actual,
        expected,
        message,
        operator: '==',
        stackStartFn: equal,
      });
    }
  };

  assert.notEqual = function notEqual(actual, expected, message) {
    if (arguments.length < 2) {
      throw missingArgs('actual', 'expected');
    }
    if (actual == expected || (Number.isNaN(actual) && Number.isNaN(expected))) {
      innerFail({
        actual,
        expected,
        message,
        operator: '!=',
        stackStartFn: notEqual,
      });
    }
  };

  assert.deepEqual = function deepEqual(actual, expected, message) {
    if (arguments.length < 2) {
      throw missingArgs('actual', 'expected');
    }
    if (!isDeepEqual(actual, expected)) {
      innerFail({
        actual,
        expected,
        message,
        operator: 'deepEqual',
        stackStartFn: deepEqual,
      });
    }
  };

  assert.notDeepEqual = function notDeepEqual(actual, expected, message) {
    if (arguments.length < 2) {
      throw missingArgs('actual', 'expected');
    }
    if (isDeepEqual(actual, expected)) {
      innerFail({
        actual,
        expected,
        message,
        operator: 'notDeepEqual',
        stackStartFn: notDeepEqual,
      });
    }
  };

  assert.deepStrictEqual = function deepStrictEqual(actual, expected, message) {
    if (arguments.length < 2) {
      throw missingArgs('actual', 'expected');
    }
    if (!isDeepStrictEqual(actual, expected)) {
      innerFail({
        actual,
        expected,
        message,
        operator: 'deepStrictEqual',
        stackStartFn: deepStrictEqual,
      });
    }
  };

  assert.notDeepStrictEqual = notDeepStrictEqual;
  function notDeepStrictEqual(actual, expected, message) {
    if (arguments.length < 2) {
      throw missingArgs('actual', 'expected');
    }
    if (isDeepStrictEqual(actual, expected)) {
      innerFail({
        actual,
        expected,
        message,
        operator: 'notDeepStrictEqual',
        stackStartFn: notDeepStrictEqual,
      });
    }
  }

  assert.strictEqual = function strictEqual(actual, expected, message) {
    if (arguments.length < 2) {
      throw missingArgs('actual', 'expected');
    }
    if (!Object.is(actual, expected)) {
      innerFail({
        actual,
        expected,
        message,
        operator: 'strictEqual',
        stackStartFn: strictEqual,
      });
    }
  };

  assert.notStrictEqual = function notStrictEqual(actual, expected, message) {
    if (arguments.length < 2) {
      throw missingArgs('actual', 'expected');
    }
    if (Object.is(actual, expected)) {
      innerFail({
        actual,
        expected,
        message,
        operator: 'notStrictEqual',
        stackStartFn: notStrictEqual,
      });
    }
  };

  class Comparison {
    constructor(obj, keys, actual) {
      for (const key of keys) {
        if (key in obj) {
          if (actual !== undefined &&
              typeof actual[key] === 'string' &&
              isRegExp(obj[key]) &&
              obj[key].exec(actual[key]) !== null) {
            this[key] = actual[key];
          } else {
            this[key] = obj[key];
          }
        }
      }
    }
  }

  function compareExceptionKey(actual, expected, key, message, keys, fn) {
    if (!(key in actual) || !isDeepStrictEqual(actual[key], expected[key])) {
      if (!message) {
        // Create placeholder objects to create a nice output.
        const a = new Comparison(actual, keys);
        const b = new Comparison(expected, keys, actual);

        const err = new AssertionError({
          actual: a,
          expected: b,
          operator: 'deepStrictEqual',
          stackStartFn: fn,
        });
        err.actual = actual;
        err.expected = expected;
        err.operator = fn.name;
        throw err;
      }
      innerFail({
        actual,
        expected,
        message,
        operator: fn.name,
        stackStartFn: fn,
      });
    }
  }

  function expectedException(actual, expected, message, fn) {
    let generatedMessage = false;
    let throwError = false;

    if (typeof expected !== 'function') {
      // Handle regular expressions.
      if (isRegExp(expected)) {
        const str = String(actual);
        if (expected.exec(str) !== null)
          return;

        if (!message) {
          generatedMessage = true;
          message = 'The input did not match the regular expression ' +
                    `${inspect(expected)}. Input:\n\n${inspect(str)}\n`;
        }
        throwError = true;
        // Handle primitives properly.
      } else if (typeof actual !== 'object' || actual === null) {
        const err = new AssertionError({
          actual,
          expected,
          message,
          operator: 'deepStrictEqual',
          stackStartFn: fn,
        });
        err.operator = fn.name;
        throw err;
      } else {
        // Handle validation objects.
        const keys = Object.keys(expected);
        // Special handle errors to make sure the name and the message are
        // compared as well.
        if (expected instanceof Error) {
          keys.push('name', 'message');
        } else if (keys.length === 0) {
          throw invalidArgValue('error',
                                          expected, 'may not be an empty object');
        }
        for (const key of keys) {
          if (typeof actual[key] === 'string' &&
              isRegExp(expected[key]) &&
              expected[key].exec(actual[key]) !== null) {
            continue;
          }
          compareExceptionKey(actual, expected, key, message, keys, fn);
        }
        return;
      }
    // Guard instanceof against arrow functions as they don't have a prototype.
    // Check for matching Error classes.
    } else if (expected.prototype !== undefined && actual instanceof expected) {
      return;
    } else if (apply(isPrototypeOf, Error, [expected])) {
      if (!message) {
        generatedMessage = true;
        message = 'The error is expected to be an instance of ' +
          `"${expected.name}". Received `;
        if (isError(actual)) {
          const name = (actual.constructor && actual.constructor.name) ||
                       actual.name;
          if (expected.name === name) {
            message += 'an error with identical name but a different prototype.';
          } else {
            message += `"${name}"`;
          }
          if (actual.message) {
            message += `\n\nError message:\n\n${actual.message}`;
          }
        } else {
          message += `"${inspect(actual, { depth: -1 })}"`;
        }
      }
      throwError = true;
    } else {
      // Check validation functions return value.
      const res = Reflect.apply(expected, {}, [actual]);
      if (res !== true) {
        if (!message) {
          generatedMessage = true;
          const name = expected.name ? `"${expected.name}" ` : '';
          message = `The ${name}validation function is expected to return` +
            ` "true". Received ${inspect(res)}`;

          if (isError(actual)) {
            message += `\n\nCaught error:\n\n${actual}`;
          }
        }
        throwError = true;
      }
    }

    if (throwError) {
      const err = new AssertionError({
        actual,
        expected,
        message,
        operator: fn.name,
        stackStartFn: fn,
      });
      err.generatedMessage = generatedMessage;
      throw err;
    }
  }

  function getActual(fn) {
    validateFunction(fn, 'fn');
    try {
      fn();
    } catch (e) {
      return e;
    }
    return NO_EXCEPTION_SENTINEL;
  }

  function checkIsPromise(obj) {
    // Accept native ES6 promises and promises that are implemented in a similar
    // way. Do not accept thenables that use a function as `obj` and that have no
    // `catch` handler.
    return isPromise(obj) ||
      (obj !== null && typeof obj === 'object' &&
      typeof obj.then === 'function' &&
      typeof obj.catch === 'function');
  }

  async function waitForActual(promiseFn) {
    let resultPromise;
    if (typeof promiseFn === 'function') {
      // Return a rejected promise if `promiseFn` throws synchronously.
      resultPromise = promiseFn();
      // Fail in case no promise is returned.
      if (!checkIsPromise(resultPromise)) {
        throw invalidReturnValue('instance of Promise',
                                           'promiseFn', resultPromise);
      }
    } else if (checkIsPromise(promiseFn)) {
      resultPromise = promiseFn;
    } else {
      throw invalidArgType(
        'promiseFn', ['Function', 'Promise'], promiseFn);
    }

    try {
      await resultPromise;
    } catch (e) {
      return e;
    }
    return NO_EXCEPTION_SENTINEL;
  }

  function expectsError(stackStartFn, actual, error, message) {
    if (typeof error === 'string') {
      if (arguments.length === 4) {
        throw invalidArgType('error',
                                       ['Object', 'Error', 'Function', 'RegExp'],
                                       error);
      }
      if (typeof actual === 'object' && actual !== null) {
        if (actual.message === error) {
          throw ambiguous(
            'error/message',
            `The error message "${actual.message}" is identical to the message.`,
          );
        }
      } else if (actual === error) {
        throw ambiguous(
          'error/message',
          `The error "${actual}" is identical to the message.`,
        );
      }
      message = error;
      error = undefined;
    } else if (error != null &&
               typeof error !== 'object' &&
               typeof error !== 'function') {
      throw invalidArgType('error',
                                     ['Object', 'Error', 'Function', 'RegExp'],
                                     error);
    }

    if (actual === NO_EXCEPTION_SENTINEL) {
      let details = '';
      if (error && error.name) {
        details += ` (${error.name})`;
      }
      details += message ? `: ${message}` : '.';
      const fnType = stackStartFn === assert.rejects ? 'rejection' : 'exception';
      innerFail({
        actual: undefined,
        expected: error,
        operator: stackStartFn.name,
        message: `Missing expected ${fnType}${details}`,
        stackStartFn,
      });
    }

    if (!error)
      return;

    expectedException(actual, error, message, stackStartFn);
  }

  function hasMatchingError(actual, expected) {
    if (typeof expected !== 'function') {
      if (isRegExp(expected)) {
        const str = String(actual);
        return expected.exec(str) !== null;
      }
      throw invalidArgType(
        'expected', ['Function', 'RegExp'], expected,
      );
    }
    // Guard instanceof against arrow functions as they don't have a prototype.
    if (expected.prototype !== undefined && actual instanceof expected) {
      return true;
    }
    if (apply(isPrototypeOf, Error, [expected])) {
      return false;
    }
    return Reflect.apply(expected, {}, [actual]) === true;
  }

  function expectsNoError(stackStartFn, actual, error, message) {
    if (actual === NO_EXCEPTION_SENTINEL)
      return;

    if (typeof error === 'string') {
      message = error;
      error = undefined;
    }

    if (!error || hasMatchingError(actual, error)) {
      const details = message ? `: ${message}` : '.';
      const fnType = stackStartFn === assert.doesNotReject ?
        'rejection' : 'exception';
      innerFail({
        actual,
        expected: error,
        operator: stackStartFn.name,
        message: `Got unwanted ${fnType}${details}\n` +
                 `Actual message: "${actual && actual.message}"`,
        stackStartFn,
      });
    }
    throw actual;
  }

  assert.throws = function throws(promiseFn, ...args) {
    expectsError(throws, getActual(promiseFn), ...args);
  };

  assert.rejects = async function rejects(promiseFn, ...args) {
    expectsError(rejects, await waitForActual(promiseFn), ...args);
  };

  assert.doesNotThrow = function doesNotThrow(fn, ...args) {
    expectsNoError(doesNotThrow, getActual(fn), ...args);
  };

  assert.doesNotReject = async function doesNotReject(fn, ...args) {
    expectsNoError(doesNotReject, await waitForActual(fn), ...args);
  };

  assert.ifError = function ifError(err) {
    if (err !== null && err !== undefined) {
      let message = 'ifError got unwanted exception: ';
      if (typeof err === 'object' && typeof err.message === 'string') {
        if (err.message.length === 0 && err.constructor) {
          message += err.constructor.name;
        } else {
          message += err.message;
        }
      } else {
        message += inspect(err);
      }

      const newErr = new AssertionError({
        actual: err,
        expected: null,
        operator: 'ifError',
        message,
        stackStartFn: ifError,
      });

      // Make sure we actually have a stack trace!
      const origStack = err.stack;

      if (typeof origStack === 'string') {
        // This will remove any duplicated frames from the error frames taken
        // from within `ifError` and add the original error frames to the newly
        // created ones.
        const origStackStart = origStack.indexOf('\n    at');
        if (origStackStart !== -1) {
          const originalFrames = origStack.slice(origStackStart + 1).split('\n');
          // Filter all frames existing in err.stack.
          let newFrames = newErr.stack.split('\n');
          for (const errFrame of originalFrames) {
            // Find the first occurrence of the frame.
            const pos = newFrames.indexOf(errFrame);
            if (pos !== -1) {
              // Only keep new frames.
              newFrames = newFrames.slice(0, pos);
              break;
            }
          }
          const stackStart = newFrames.join('\n');
          const stackEnd = originalFrames.join('\n');
          newErr.stack = `${stackStart}\n${stackEnd}`;
        }
      }

      throw newErr;
    }
  };

  function internalMatch(string, regexp, message, fn) {
    if (!isRegExp(regexp)) {
      throw invalidArgType(
        'regexp', 'RegExp', regexp,
      );
    }
    const match = fn === assert.match;
    if (typeof string !== 'string' ||
        regexp.exec(string) !== null !== match) {
      if (message instanceof Error) {
        throw message;
      }

      const generatedMessage = !message;

      // 'The input was expected to not match the regular expression ' +
      message = message || (typeof string !== 'string' ?
        'The "string" argument must be of type string. Received type ' +
          `${typeof string} (${inspect(string)})` :
        (match ?
          'The input did not match the regular expression ' :
          'The input was expected to not match the regular expression ') +
            `${inspect(regexp)}. Input:\n\n${inspect(string)}\n`);
      const err = new AssertionError({
        actual: string,
        expected: regexp,
        message,
        operator: fn.name,
        stackStartFn: fn,
      });
      err.generatedMessage = generatedMessage;
      throw err;
    }
  }

  assert.match = function match(string, regexp, message) {
    internalMatch(string, regexp, message, match);
  };

  assert.doesNotMatch = function doesNotMatch(string, regexp, message) {
    internalMatch(string, regexp, message, doesNotMatch);
  };

  function strict(...args) {
    innerOk(strict, args.length, ...args);
  }

  assert.strict = Object.assign(strict, assert, {
    equal: assert.strictEqual,
    deepEqual: assert.deepStrictEqual,
    notEqual: assert.notStrictEqual,
    notDeepEqual: assert.notDeepStrictEqual,
  });

  assert.strict.strict = assert.strict;
  return assert;
})
