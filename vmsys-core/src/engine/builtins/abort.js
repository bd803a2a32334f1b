// AbortController and AbortSignal.
(function (internal) {
  'use strict';
  const { backgroundTimeout } = internal.natives;
  const { coded, domException, expose, isObject, listOf, required, typeError, uncurry, wrongType } =
    internal.part('webidl');
  const { Event, EventTarget, dispatch, handlerOf, setHandler, watch } = internal.part('events');
  const iteratorSymbol = Symbol.iterator;
  const toNumber = Number;
  const SetHere = Set, WeakRefHere = WeakRef;
  const setAdd = uncurry(Set.prototype.add), setDelete = uncurry(Set.prototype.delete);
  const setHas = uncurry(Set.prototype.has), setEach = uncurry(Set.prototype.forEach);
  const deref = uncurry(WeakRef.prototype.deref);
  const { trunc, min } = Math;

  const pass = {};
  // What a timer of the realm can be set for: longer than an execution can be.
  const LONGEST_MS = 2147483647;
  const aborted = () => domException('This operation was aborted', 'AbortError');

  let create, abort, isAbortSignal, isAborted, whenAborted;

  class AbortSignal extends EventTarget {
    #aborted = false;
    #reason = undefined;
    // What is done before the event, each once.
    #steps = [];
    // Of a signal made by `any`: those that it follows, none of which follows another.
    #sources = [];
    #isFollower = false;
    // Those that follow this one, held weakly; and those of them that somebody listens to, held so that they live.
    #followers = [];
    #sweepAt = 16;
    #heard = new SetHere();
    #listeners = 0;

    constructor(token = undefined) {
      if (token !== pass) throw coded(typeError('Illegal constructor'), 'ERR_ILLEGAL_CONSTRUCTOR');
      super();
    }

    static {
      create = () => new AbortSignal(pass);
      abort = (signal, reason) => {
        if (signal.#aborted) return;
        const hit = [signal];
        signal.#mark(reason);
        for (let i = 0; i < signal.#followers.length; i++) {
          const follower = deref(signal.#followers[i]);
          if (follower === undefined || follower.#aborted) continue;
          follower.#mark(signal.#reason);
          hit[hit.length] = follower;
        }
        // All of them are aborted before the first is told.
        for (let i = 0; i < hit.length; i++) hit[i].#tell();
      };
      isAbortSignal = (value) => isObject(value) && #aborted in value;
      isAborted = (signal) => signal.#aborted;
      // Gives what makes it forget the step.
      whenAborted = (signal, step) => {
        if (signal.#aborted) return () => {};
        signal.#steps[signal.#steps.length] = step;
        signal.#listen(1);
        return () => {
          const steps = signal.#steps;
          let kept = 0;
          for (let i = 0; i < steps.length; i++) if (steps[i] !== step) steps[kept++] = steps[i];
          if (kept === steps.length) return;
          steps.length = kept;
          signal.#listen(-1);
        };
      };
    }

    #mark(reason) {
      this.#aborted = true;
      this.#reason = reason === undefined ? aborted() : reason;
    }
    #tell() {
      const steps = this.#steps;
      this.#steps = [];
      for (let i = 0; i < steps.length; i++) steps[i]();
      dispatch(this, new Event('abort'), true);
      for (let i = 0; i < this.#sources.length; i++) setDelete(this.#sources[i].#heard, this);
      this.#sources = [];
    }
    #listen(change) {
      const before = this.#listeners;
      this.#listeners += change;
      if ((before > 0) === (this.#listeners > 0)) return;
      for (let i = 0; i < this.#sources.length; i++) {
        if (before > 0) setDelete(this.#sources[i].#heard, this);
        else setAdd(this.#sources[i].#heard, this);
      }
    }
    #follow(source) {
      this.#sources[this.#sources.length] = source;
      const followers = source.#followers;
      if (followers.length >= source.#sweepAt) {
        let kept = 0;
        for (let i = 0; i < followers.length; i++) {
          if (deref(followers[i]) !== undefined) followers[kept++] = followers[i];
        }
        followers.length = kept;
        source.#sweepAt = 2 * kept + 16;
      }
      followers[followers.length] = new WeakRefHere(this);
    }

    static abort(reason = undefined) {
      const signal = create();
      signal.#mark(reason);
      return signal;
    }

    static timeout(milliseconds) {
      required(arguments.length, 'delay');
      const delay = trunc(toNumber(milliseconds));
      if (!(delay >= 0 && delay <= Number.MAX_SAFE_INTEGER)) {
        throw typeError('The "delay" argument must be a number of milliseconds', 'ERR_OUT_OF_RANGE');
      }
      const signal = create();
      const timedOut = () =>
        abort(signal, domException('The operation was aborted due to timeout', 'TimeoutError'));
      backgroundTimeout(timedOut, min(delay, LONGEST_MS));
      return signal;
    }

    static any(signals) {
      required(arguments.length, 'signals');
      const method = isObject(signals) ? signals[iteratorSymbol] : undefined;
      if (typeof method !== 'function') throw wrongType('signals', 'an instance of Array', signals);
      const list = listOf(signals, method);
      for (let i = 0; i < list.length; i++) {
        if (!isAbortSignal(list[i])) throw wrongType(`signals[${i}]`, 'an instance of AbortSignal', list[i]);
      }
      const result = create();
      for (let i = 0; i < list.length; i++) {
        if (!list[i].#aborted) continue;
        result.#mark(list[i].#reason);
        return result;
      }
      const seen = new SetHere();
      for (let i = 0; i < list.length; i++) {
        const sources = list[i].#sources;
        const origins = list[i].#isFollower ? sources : [list[i]];
        for (let j = 0; j < origins.length; j++) {
          if (setHas(seen, origins[j])) continue;
          setAdd(seen, origins[j]);
          result.#follow(origins[j]);
        }
      }
      result.#isFollower = true;
      watch(result, (type, change) => {
        if (type === 'abort') result.#listen(change);
      });
      return result;
    }

    get aborted() { return this.#aborted; }
    get reason() { return this.#reason; }
    throwIfAborted() { if (this.#aborted) throw this.#reason; }
    get onabort() {
      this.#aborted;
      return handlerOf(this, 'abort');
    }
    set onabort(handler) {
      this.#aborted;
      setHandler(this, 'abort', handler);
    }
  }
  expose(AbortSignal, 'AbortSignal');

  class AbortController {
    #signal = create();
    get signal() { return this.#signal; }
    abort(reason = undefined) { abort(this.#signal, reason); }
  }
  expose(AbortController, 'AbortController');

  return { AbortController, AbortSignal, isAbortSignal, isAborted, whenAborted };
})
