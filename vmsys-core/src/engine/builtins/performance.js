// performance: the host's clock in milliseconds since the session began, marks and measures.
(function (internal) {
  'use strict';
  const { now, origin } = internal.natives;
  const { coded, dictionary, domException, expose, isObject, platform, required, string, typeError, uncurry } =
    internal.part('webidl');
  const { EventTarget } = internal.part('events');
  const splice = uncurry(Array.prototype.splice);
  const toNumber = Number;
  const start = origin();

  const pass = {};
  const illegal = () => coded(typeError('Illegal constructor'), 'ERR_ILLEGAL_CONSTRUCTOR');

  class PerformanceEntry {
    #name;
    #type;
    #start;
    #duration;
    constructor(token = undefined, name = '', type = '', startTime = 0, duration = 0) {
      if (token !== pass) throw illegal();
      this.#name = name;
      this.#type = type;
      this.#start = startTime;
      this.#duration = duration;
    }
    static {
      platform[platform.length] = (value) => #name in value;
    }
    get name() { return this.#name; }
    get entryType() { return this.#type; }
    get startTime() { return this.#start; }
    get duration() { return this.#duration; }
    toJSON() {
      return { name: this.#name, entryType: this.#type, startTime: this.#start, duration: this.#duration };
    }
  }
  expose(PerformanceEntry, 'PerformanceEntry');

  function timestamp(value, what) {
    const time = toNumber(value);
    if (!(time >= 0 && time < Infinity)) {
      throw coded(typeError(`${what} must be a time that is not negative`), 'ERR_PERFORMANCE_INVALID_TIMESTAMP');
    }
    return time;
  }
  const copyOf = (detail) => (detail === undefined || detail === null ? null : internal.part('clone').structuredClone(detail));

  class PerformanceMark extends PerformanceEntry {
    #detail;
    constructor(name, options = undefined) {
      required(arguments.length, 'name');
      const { startTime, detail } = dictionary(options, 'options');
      super(pass, string(name), 'mark', startTime === undefined ? now() - start : timestamp(startTime, 'startTime'), 0);
      this.#detail = copyOf(detail);
    }
    get detail() { return this.#detail; }
    toJSON() { return { ...super.toJSON(), detail: this.#detail }; }
  }
  expose(PerformanceMark, 'PerformanceMark');

  class PerformanceMeasure extends PerformanceEntry {
    #detail;
    constructor(token = undefined, name = '', startTime = 0, duration = 0, detail = null) {
      super(token, name, 'measure', startTime, duration);
      this.#detail = detail;
    }
    get detail() { return this.#detail; }
    toJSON() { return { ...super.toJSON(), detail: this.#detail }; }
  }
  expose(PerformanceMeasure, 'PerformanceMeasure');

  class Performance extends EventTarget {
    // Marks and measures, the earliest first.
    #entries = [];

    constructor(token = undefined) {
      if (token !== pass) throw illegal();
      super();
    }

    #add(entry) {
      const entries = this.#entries;
      let at = entries.length;
      while (at > 0 && entries[at - 1].time > entry.time) at--;
      splice(entries, at, 0, entry);
      return entry.entry;
    }
    #select(matches) {
      const found = [];
      for (let i = 0; i < this.#entries.length; i++) {
        if (matches(this.#entries[i])) found[found.length] = this.#entries[i].entry;
      }
      return found;
    }
    #clear(type, name) {
      const entries = this.#entries;
      let kept = 0;
      for (let i = 0; i < entries.length; i++) {
        if (entries[i].type !== type || (name !== undefined && entries[i].name !== name)) entries[kept++] = entries[i];
      }
      entries.length = kept;
    }
    // A time, or the name of a mark: the newest of that name.
    #timeOf(mark, what) {
      if (typeof mark === 'number') return timestamp(mark, what);
      const name = string(mark);
      for (let i = this.#entries.length - 1; i >= 0; i--) {
        const entry = this.#entries[i];
        if (entry.type === 'mark' && entry.name === name) return entry.time;
      }
      throw domException(`The "${name}" performance mark has not been set`, 'SyntaxError');
    }

    now() {
      this.#entries;
      return now() - start;
    }
    get timeOrigin() {
      this.#entries;
      return start;
    }
    toJSON() { return { timeOrigin: this.timeOrigin }; }

    mark(name, options = undefined) {
      this.#entries;
      required(arguments.length, 'name');
      const text = string(name);
      const mark = new PerformanceMark(text, options);
      return this.#add({ type: 'mark', name: text, time: mark.startTime, entry: mark });
    }

    measure(name, startOrOptions = undefined, endMark = undefined) {
      this.#entries;
      required(arguments.length, 'name');
      const text = string(name);
      const options = isObject(startOrOptions) ? startOrOptions : undefined;
      const from = options === undefined ? startOrOptions : options.start;
      const given = options === undefined ? {} : { duration: options.duration, end: options.end, detail: options.detail };
      if (options !== undefined) {
        const empty = from === undefined && given.end === undefined;
        const refused = (message) => typeError(message, 'ERR_PERFORMANCE_MEASURE_INVALID_OPTIONS');
        const filled = !empty || given.duration !== undefined || given.detail !== undefined;
        if (filled && endMark !== undefined) throw refused('endMark must not be specified');
        if (filled && empty) throw refused('One of options.start or options.end is required');
        if (from !== undefined && given.duration !== undefined && given.end !== undefined) {
          throw refused('Must not have options.start, options.end, and options.duration specified');
        }
      }
      const last = endMark !== undefined ? endMark : given.end;
      let endTime;
      if (last !== undefined) endTime = this.#timeOf(last, 'end');
      else if (from !== undefined && given.duration !== undefined) {
        endTime = this.#timeOf(from, 'start') + timestamp(given.duration, 'duration');
      } else endTime = now() - start;
      let startTime = 0;
      if (from !== undefined) startTime = this.#timeOf(from, 'start');
      else if (given.duration !== undefined) startTime = endTime - timestamp(given.duration, 'duration');
      const measure = new PerformanceMeasure(pass, text, startTime, endTime - startTime, copyOf(given.detail));
      return this.#add({ type: 'measure', name: text, time: startTime, entry: measure });
    }

    clearMarks(name = undefined) { this.#clear('mark', name === undefined ? undefined : string(name)); }
    clearMeasures(name = undefined) { this.#clear('measure', name === undefined ? undefined : string(name)); }
    getEntries() { return this.#select(() => true); }
    getEntriesByName(name, type = undefined) {
      this.#entries;
      required(arguments.length, 'name');
      const text = string(name);
      const only = type === undefined ? undefined : string(type);
      return this.#select((entry) => entry.name === text && (only === undefined || entry.type === only));
    }
    getEntriesByType(type) {
      this.#entries;
      required(arguments.length, 'type');
      const only = string(type);
      return this.#select((entry) => entry.type === only);
    }
  }
  expose(Performance, 'Performance');

  const performance = new Performance(pass);
  return { performance, Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure };
})
