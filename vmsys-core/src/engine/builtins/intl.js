// Intl, of which there is Segmenter: the engine knows no languages.
(function (internal) {
  'use strict';
  const { segments } = internal.natives;
  const { dictionary, expose, rangeError, string, typeError } = internal.part('webidl');
  const { defineProperty } = Reflect;
  const iteratorSymbol = Symbol.iterator, tagSymbol = Symbol.toStringTag;
  const GRANULARITIES = { __proto__: null, grapheme: true, word: true, sentence: true };

  // The rules are Unicode's, without those of a language; of what is asked for only the form is checked.
  function localesOf(locales) {
    if (locales === undefined) return [];
    const list = typeof locales === 'string' ? [locales] : [...locales];
    for (const locale of list) {
      if (typeof locale !== 'string' && (locale === null || typeof locale !== 'object')) throw typeError('Incorrect locale information provided');
      if (!/^[a-z]{2,8}(-[a-z0-9]{1,8})*$/i.test(string(locale))) throw rangeError(`Incorrect locale information provided`);
    }
    return list.map((locale) => string(locale));
  }

  class Segments {
    #input;
    #granularity;
    constructor(input, granularity) {
      this.#input = input;
      this.#granularity = granularity;
    }
    *[iteratorSymbol]() {
      const input = this.#input;
      const isWord = this.#granularity === 'word';
      const parts = segments(input, this.#granularity);
      let index = 0;
      for (let i = 0; i < parts.length; i += 2) {
        // Lengths are those of the text as it is here: half a pair stays one.
        const segment = input.slice(index, index + parts[i]);
        yield isWord ? { segment, index, input, isWordLike: parts[i + 1] === 1 } : { segment, index, input };
        index += parts[i];
      }
    }
    containing(at = 0) {
      const wanted = Math.trunc(Number(at)) || 0;
      if (wanted < 0) return undefined;
      for (const found of this) if (wanted < found.index + found.segment.length) return found;
      return undefined;
    }
  }

  class Segmenter {
    #granularity;
    #locale;
    constructor(locales = undefined, options = undefined) {
      this.#locale = localesOf(locales)[0] ?? 'en-US';
      const { granularity } = dictionary(options, 'options');
      this.#granularity = granularity === undefined ? 'grapheme' : string(granularity);
      if (GRANULARITIES[this.#granularity] === undefined) {
        throw rangeError(`Value ${this.#granularity} out of range for Intl.Segmenter options property granularity`);
      }
    }
    segment(input) { return new Segments(string(input), this.#granularity); }
    resolvedOptions() { return { locale: this.#locale, granularity: this.#granularity }; }
    static supportedLocalesOf(locales) { return localesOf(locales); }
  }
  expose(Segmenter, 'Intl.Segmenter');

  const Intl = {};
  defineProperty(Intl, tagSymbol, { value: 'Intl', configurable: true });
  defineProperty(Intl, 'Segmenter', { value: Segmenter, writable: true, configurable: true });
  return { Intl };
})
