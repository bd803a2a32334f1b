// `util.parseArgs`.
//
// Adapted from Node.js v20.20.2, lib/internal/util/parse_args/ (MIT, see LICENSE-NODE beside this file): calls of captured
// built-ins are method calls, and Node's own helpers come from our parts.
(function (internal) {
  'use strict';
  const { invalidArgType, invalidArgValue, make, validateArray, validateBoolean, validateObject, validateString } =
    internal.part('node_errors');

  const invalidOptionValue = (message) => make(TypeError, 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE', message);
  const unexpectedPositional = (value) => make(TypeError, 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL',
    `Unexpected argument '${value}'. This command does not take positional arguments`);
  const unknownOption = (option, allowPositionals) => {
    const hint = allowPositionals ? '. To specify a positional argument starting with a \'-\', place it at the end of ' +
      `the command after '--', as in '-- ${JSON.stringify(option)}` : '';
    return make(TypeError, 'ERR_PARSE_ARGS_UNKNOWN_OPTION', `Unknown option '${option}'${hint}`);
  };

  function validateUnion(value, name, union) {
    if (!union.includes(value)) throw invalidArgType(name, `('${union.join('|')}')`, value);
  }

  const validateEach = (type) => (value, name) => {
    validateArray(value, name);
    for (let i = 0; i < value.length; ++i) {
      if (typeof value[i] !== type) throw invalidArgType(`${name}[${i}]`, type, value[i]);
    }
  };
  const validateStringArray = validateEach('string');
  const validateBooleanArray = validateEach('boolean');

  // These are internal utilities to make the parsing logic easier to read, and
  // add lots of detail for the curious. They are in a separate file to allow
  // unit testing, although that is not essential (this could be rolled into
  // main file and just tested implicitly via API).
  //
  // These routines are for internal use, not for export to client.

  function objectGetOwn(obj, prop) {
    if (Object.hasOwn(obj, prop))
      return obj[prop];
  }

  function optionsGetOwn(options, longOption, prop) {
    if (Object.hasOwn(options, longOption))
      return objectGetOwn(options[longOption], prop);
  }

  function isOptionValue(value) {
    if (value == null) return false;

    // Open Group Utility Conventions are that an option-argument
    // is the argument after the option, and may start with a dash.
    return true; // greedy!
  }

  function isOptionLikeValue(value) {
    if (value == null) return false;

    return value.length > 1 && value.charAt(0) === '-';
  }

  function isLoneShortOption(arg) {
    return arg.length === 2 &&
      arg.charAt(0) === '-' &&
      arg.charAt(1) !== '-';
  }

  function isLoneLongOption(arg) {
    return arg.length > 2 &&
      arg.startsWith('--') &&
      !arg.includes('=', 3);
  }

  function isLongOptionAndValue(arg) {
    return arg.length > 2 &&
      arg.startsWith('--') &&
      arg.includes('=', 3);
  }

  function isShortOptionGroup(arg, options) {
    if (arg.length <= 2) return false;
    if (arg.charAt(0) !== '-') return false;
    if (arg.charAt(1) === '-') return false;

    const firstShort = arg.charAt(1);
    const longOption = findLongOptionForShort(firstShort, options);
    return optionsGetOwn(options, longOption, 'type') !== 'string';
  }

  function isShortOptionAndValue(arg, options) {
    validateObject(options, 'options');

    if (arg.length <= 2) return false;
    if (arg.charAt(0) !== '-') return false;
    if (arg.charAt(1) === '-') return false;

    const shortOption = arg.charAt(1);
    const longOption = findLongOptionForShort(shortOption, options);
    return optionsGetOwn(options, longOption, 'type') === 'string';
  }

  function findLongOptionForShort(shortOption, options) {
    validateObject(options, 'options');
    const longOptionEntry = Object.entries(options).find(({ 1: optionConfig }) => objectGetOwn(optionConfig, 'short') === shortOption);
    return longOptionEntry?.[0] ?? shortOption;
  }

  function useDefaultValueOption(longOption, optionConfig, values) {
    return objectGetOwn(optionConfig, 'default') !== undefined &&
      values[longOption] === undefined;
  }

  function getMainArgs() {
    return (globalThis.process?.argv ?? []).slice(2);
  }

  function checkOptionLikeValue(token) {
    if (!token.inlineValue && isOptionLikeValue(token.value)) {
      // Only show short example if user used short option.
      const example = token.rawName.startsWith('--') ?
        `'${token.rawName}=-XYZ'` :
        `'--${token.name}=-XYZ' or '${token.rawName}-XYZ'`;
      const errorMessage = `Option '${token.rawName}' argument is ambiguous.
  Did you forget to specify the option argument for '${token.rawName}'?
  To specify an option argument starting with a dash use ${example}.`;
      throw invalidOptionValue(errorMessage);
    }
  }

  function checkOptionUsage(config, token) {
    let tokenName = token.name;
    if (!Object.hasOwn(config.options, tokenName)) {
      // Check for negated boolean option.
      if (config.allowNegative && tokenName.startsWith('no-')) {
        tokenName = tokenName.slice(3);
        if (!Object.hasOwn(config.options, tokenName) || optionsGetOwn(config.options, tokenName, 'type') !== 'boolean') {
          throw unknownOption(
            token.rawName, config.allowPositionals);
        }
      } else {
        throw unknownOption(
          token.rawName, config.allowPositionals);
      }
    }

    const short = optionsGetOwn(config.options, tokenName, 'short');
    const shortAndLong = `${short ? `-${short}, ` : ''}--${tokenName}`;
    const type = optionsGetOwn(config.options, tokenName, 'type');
    if (type === 'string' && typeof token.value !== 'string') {
      throw invalidOptionValue(`Option '${shortAndLong} <value>' argument missing`);
    }
    // (Idiomatic test for undefined||null, expecting undefined.)
    if (type === 'boolean' && token.value != null) {
      throw invalidOptionValue(`Option '${shortAndLong}' does not take an argument`);
    }
  }

  function storeOption(token, options, values, allowNegative) {
    let longOption = token.name;
    let optionValue = token.value;
    if (longOption === '__proto__') {
      return; // No. Just no.
    }

    if (allowNegative && longOption.startsWith('no-') && optionValue === undefined) {
      // Boolean option negation: --no-foo
      longOption = longOption.slice(3);
      token.name = longOption;
      optionValue = false;
    }

    // We store based on the option value rather than option type,
    // preserving the users intent for author to deal with.
    const newValue = optionValue ?? true;
    if (optionsGetOwn(options, longOption, 'multiple')) {
      // Always store value in array, including for boolean.
      // values[longOption] starts out not present,
      // first value is added as new array [newValue],
      // subsequent values are pushed to existing array.
      // (note: values has null prototype, so simpler usage)
      if (values[longOption]) {
        values[longOption].push(newValue);
      } else {
        values[longOption] = [newValue];
      }
    } else {
      values[longOption] = newValue;
    }
  }

  function storeDefaultOption(longOption, optionValue, values) {
    if (longOption === '__proto__') {
      return; // No. Just no.
    }

    values[longOption] = optionValue;
  }

  function argsToTokens(args, options) {
    const tokens = [];
    let index = -1;
    let groupCount = 0;

    const remainingArgs = args.slice();
    while (remainingArgs.length > 0) {
      const arg = remainingArgs.shift();
      const nextArg = remainingArgs[0];
      if (groupCount > 0)
        groupCount--;
      else
        index++;

      // Check if `arg` is an options terminator.
      // Guideline 10 of POSIX, utility conventions
      if (arg === '--') {
        // Everything after a bare '--' is considered a positional argument.
        tokens.push({ kind: 'option-terminator', index });
        tokens.push(...remainingArgs.map((arg) => {
            return { kind: 'positional', index: ++index, value: arg };
          }));
        break; // Finished processing args, leave while loop.
      }

      if (isLoneShortOption(arg)) {
        // e.g. '-f'
        const shortOption = arg.charAt(1);
        const longOption = findLongOptionForShort(shortOption, options);
        let value;
        let inlineValue;
        if (optionsGetOwn(options, longOption, 'type') === 'string' &&
            isOptionValue(nextArg)) {
          // e.g. '-f', 'bar'
          value = remainingArgs.shift();
          inlineValue = false;
        }
        tokens.push({ kind: 'option', name: longOption, rawName: arg,
            index, value, inlineValue });
        if (value != null) ++index;
        continue;
      }

      if (isShortOptionGroup(arg, options)) {
        // Expand -fXzy to -f -X -z -y
        const expanded = [];
        for (let index = 1; index < arg.length; index++) {
          const shortOption = arg.charAt(index);
          const longOption = findLongOptionForShort(shortOption, options);
          if (optionsGetOwn(options, longOption, 'type') !== 'string' ||
            index === arg.length - 1) {
            // Boolean option, or last short in group. Well formed.
            expanded.push(`-${shortOption}`);
          } else {
            // String option in middle. Yuck.
            // Expand -abfFILE to -a -b -fFILE
            expanded.push(`-${arg.slice(index)}`);
            break; // finished short group
          }
        }
        remainingArgs.unshift(...expanded);
        groupCount = expanded.length;
        continue;
      }

      if (isShortOptionAndValue(arg, options)) {
        // e.g. -fFILE
        const shortOption = arg.charAt(1);
        const longOption = findLongOptionForShort(shortOption, options);
        const value = arg.slice(2);
        tokens.push({ kind: 'option', name: longOption, rawName: `-${shortOption}`,
            index, value, inlineValue: true });
        continue;
      }

      if (isLoneLongOption(arg)) {
        // e.g. '--foo'
        const longOption = arg.slice(2);
        let value;
        let inlineValue;
        if (optionsGetOwn(options, longOption, 'type') === 'string' &&
            isOptionValue(nextArg)) {
          // e.g. '--foo', 'bar'
          value = remainingArgs.shift();
          inlineValue = false;
        }
        tokens.push({ kind: 'option', name: longOption, rawName: arg,
            index, value, inlineValue });
        if (value != null) ++index;
        continue;
      }

      if (isLongOptionAndValue(arg)) {
        // e.g. --foo=bar
        const equalIndex = arg.indexOf('=');
        const longOption = arg.slice(2, equalIndex);
        const value = arg.slice(equalIndex + 1);
        tokens.push({ kind: 'option', name: longOption, rawName: `--${longOption}`,
            index, value, inlineValue: true });
        continue;
      }

      tokens.push({ kind: 'positional', index, value: arg });
    }
    return tokens;
  }

  const parseArgs = (config = { __proto__: null }) => {
    const args = objectGetOwn(config, 'args') ?? getMainArgs();
    const strict = objectGetOwn(config, 'strict') ?? true;
    const allowPositionals = objectGetOwn(config, 'allowPositionals') ?? !strict;
    const returnTokens = objectGetOwn(config, 'tokens') ?? false;
    const allowNegative = objectGetOwn(config, 'allowNegative') ?? false;
    const options = objectGetOwn(config, 'options') ?? { __proto__: null };
    // Bundle these up for passing to strict-mode checks.
    const parseConfig = { args, strict, options, allowPositionals, allowNegative };

    // Validate input configuration.
    validateArray(args, 'args');
    validateBoolean(strict, 'strict');
    validateBoolean(allowPositionals, 'allowPositionals');
    validateBoolean(returnTokens, 'tokens');
    validateBoolean(allowNegative, 'allowNegative');
    validateObject(options, 'options');
    Object.entries(options).forEach(({ 0: longOption, 1: optionConfig }) => {
        validateObject(optionConfig, `options.${longOption}`);

        // type is required
        const optionType = objectGetOwn(optionConfig, 'type');
        validateUnion(optionType, `options.${longOption}.type`, ['string', 'boolean']);

        if (Object.hasOwn(optionConfig, 'short')) {
          const shortOption = optionConfig.short;
          validateString(shortOption, `options.${longOption}.short`);
          if (shortOption.length !== 1) {
            throw invalidArgValue(
              `options.${longOption}.short`,
              shortOption,
              'must be a single character',
            );
          }
        }

        const multipleOption = objectGetOwn(optionConfig, 'multiple');
        if (Object.hasOwn(optionConfig, 'multiple')) {
          validateBoolean(multipleOption, `options.${longOption}.multiple`);
        }

        const defaultValue = objectGetOwn(optionConfig, 'default');
        if (defaultValue !== undefined) {
          let validator;
          switch (optionType) {
            case 'string':
              validator = multipleOption ? validateStringArray : validateString;
              break;

            case 'boolean':
              validator = multipleOption ? validateBooleanArray : validateBoolean;
              break;
          }
          validator(defaultValue, `options.${longOption}.default`);
        }
      });

    // Phase 1: identify tokens
    const tokens = argsToTokens(args, options);

    // Phase 2: process tokens into parsed option values and positionals
    const result = {
      values: { __proto__: null },
      positionals: [],
    };
    if (returnTokens) {
      result.tokens = tokens;
    }
    tokens.forEach((token) => {
      if (token.kind === 'option') {
        if (strict) {
          checkOptionUsage(parseConfig, token);
          checkOptionLikeValue(token);
        }
        storeOption(token, options, result.values, parseConfig.allowNegative);
      } else if (token.kind === 'positional') {
        if (!allowPositionals) {
          throw unexpectedPositional(token.value);
        }
        result.positionals.push(token.value);
      }
    });

    // Phase 3: fill in default values for missing args
    Object.entries(options).forEach(({ 0: longOption,
                                                     1: optionConfig }) => {
      const mustSetDefault = useDefaultValueOption(longOption,
                                                   optionConfig,
                                                   result.values);
      if (mustSetDefault) {
        storeDefaultOption(longOption,
                           objectGetOwn(optionConfig, 'default'),
                           result.values);
      }
    });

    return result;
  };
  return { parseArgs };
})
