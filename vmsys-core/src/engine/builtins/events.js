// Event, CustomEvent and EventTarget.
(function (internal) {
  'use strict';
  const { now } = internal.natives;
  const { constants, dictionary, domException, expose, isObject, platform, required, string, typeError, wrongType } =
    internal.part('webidl');
  const { apply } = Reflect;
  const { splice, slice } = Array.prototype;
  const microtask = queueMicrotask;

  const NONE = 0, AT_TARGET = 2;
  let setTrusted;
  // What a dispatch does to an event; only code of ours reaches it.
  let begin, end, reset, isStopped, canceled, isEvent, typeOf, setPassive;

  class Event {
    #type;
    #bubbles;
    #cancelable;
    #composed;
    #trusted = false;
    #canceled = false;
    #stopped = false;
    #stoppedAtOnce = false;
    #dispatched = false;
    #passive = false;
    #target = null;
    #currentTarget = null;
    #phase = NONE;
    #time = now();

    constructor(type, options = undefined) {
      required(arguments.length, 'type');
      const { bubbles, cancelable, composed } = dictionary(options, 'options');
      this.#type = string(type);
      this.#bubbles = !!bubbles;
      this.#cancelable = !!cancelable;
      this.#composed = !!composed;
    }

    static {
      setTrusted = (event, trusted) => { event.#trusted = trusted; };
      begin = (event, target) => {
        if (event.#dispatched) throw domException('The event is already being dispatched', 'InvalidStateError');
        event.#dispatched = true;
        event.#target = target;
        event.#currentTarget = target;
        event.#phase = AT_TARGET;
      };
      end = (event) => {
        event.#phase = NONE;
        event.#currentTarget = null;
        event.#dispatched = false;
        event.#stopped = false;
        event.#stoppedAtOnce = false;
      };
      isStopped = (event, atOnce) => (atOnce ? event.#stoppedAtOnce : event.#stopped);
      setPassive = (event, passive) => { event.#passive = passive; };
      canceled = (event) => event.#canceled;
      isEvent = (value) => isObject(value) && #type in value;
      typeOf = (event) => event.#type;
      reset = (event, type, bubbles, cancelable) => {
        if (event.#dispatched) return false;
        event.#canceled = event.#stopped = event.#stoppedAtOnce = event.#trusted = false;
        event.#target = null;
        event.#type = type;
        event.#bubbles = bubbles;
        event.#cancelable = cancelable;
        return true;
      };
      platform[platform.length] = (value) => #type in value;
    }

    get type() { return this.#type; }
    get target() { return this.#target; }
    get srcElement() { return this.#target; }
    get currentTarget() { return this.#currentTarget; }
    composedPath() { return this.#currentTarget === null ? [] : [this.#currentTarget]; }
    get eventPhase() { return this.#phase; }
    stopPropagation() { this.#stopped = true; }
    get cancelBubble() { return this.#stopped; }
    set cancelBubble(value) { if (value) this.#stopped = true; }
    stopImmediatePropagation() { this.#stopped = this.#stoppedAtOnce = true; }
    get bubbles() { return this.#bubbles; }
    get cancelable() { return this.#cancelable; }
    get returnValue() { return !this.#canceled; }
    set returnValue(value) { if (!value) this.preventDefault(); }
    preventDefault() { if (this.#cancelable && !this.#passive) this.#canceled = true; }
    get defaultPrevented() { return this.#canceled; }
    get composed() { return this.#composed; }
    // As in Node on the prototype, and not on each event as the standard has it: nothing here is handed to a page.
    get isTrusted() { return this.#trusted; }
    get timeStamp() { return this.#time; }
    initEvent(type, bubbles = false, cancelable = false) {
      this.#type;
      required(arguments.length, 'type');
      reset(this, string(type), !!bubbles, !!cancelable);
    }
  }
  constants(Event, { NONE, CAPTURING_PHASE: 1, AT_TARGET, BUBBLING_PHASE: 3 });
  expose(Event, 'Event');

  class CustomEvent extends Event {
    #detail;
    constructor(type, options = undefined) {
      required(arguments.length, 'type');
      super(type, options);
      const { detail } = dictionary(options, 'options');
      this.#detail = detail === undefined ? null : detail;
    }
    get detail() { return this.#detail; }
    initCustomEvent(type, bubbles = false, cancelable = false, detail = null) {
      this.#detail;
      required(arguments.length, 'type');
      if (reset(this, string(type), !!bubbles, !!cancelable)) this.#detail = detail;
    }
  }
  expose(CustomEvent, 'CustomEvent');

  /** An exception that nobody catches: it ends the execution, but not what is under way. */
  const report = (error) => microtask(() => { throw error; });

  let dispatch, handlerOf, setHandler, watch;

  class EventTarget {
    // Each is { type, callback, capture, once, passive, removed }.
    #listeners = [];
    // What wants to know when listeners come and go.
    #watcher = null;

    static {
      dispatch = (target, event, trusted) => target.#dispatch(event, trusted);
      watch = (target, watcher) => { target.#watcher = watcher; };
      handlerOf = (target, type) => target.#handler(type)?.handler ?? null;
      setHandler = (target, type, handler) => {
        const existing = target.#handler(type);
        if (!isObject(handler)) {
          if (existing !== undefined) target.#remove(existing);
          return;
        }
        if (existing !== undefined) {
          existing.handler = handler;
          return;
        }
        const listener = {
          type, callback: null, capture: false, once: false, passive: false, removed: false, handler,
        };
        listener.callback = function (event) {
          if (typeof listener.handler !== 'function') return;
          if (apply(listener.handler, this, [event]) === false) event.preventDefault();
        };
        target.#add(listener);
      };
      platform[platform.length] = (value) => #listeners in value;
    }

    #handler(type) {
      const listeners = this.#listeners;
      for (let i = 0; i < listeners.length; i++) {
        if (listeners[i].type === type && listeners[i].handler !== undefined) return listeners[i];
      }
      return undefined;
    }
    #find(type, callback, capture) {
      const listeners = this.#listeners;
      for (let i = 0; i < listeners.length; i++) {
        const listener = listeners[i];
        if (listener.callback === callback && listener.type === type && listener.capture === capture) return listener;
      }
      return undefined;
    }
    #add(listener) {
      this.#listeners[this.#listeners.length] = listener;
      this.#watcher?.(listener.type, 1);
    }
    #remove(listener) {
      if (listener.removed) return;
      listener.removed = true;
      const listeners = this.#listeners;
      for (let i = 0; i < listeners.length; i++) {
        if (listeners[i] !== listener) continue;
        apply(splice, listeners, [i, 1]);
        break;
      }
      this.#watcher?.(listener.type, -1);
    }

    addEventListener(type, callback, options = undefined) {
      this.#listeners;
      required(arguments.length, 'type', 'listener');
      const name = string(type);
      const given = isObject(options) ? options : { __proto__: null, capture: options };
      const capture = !!given.capture, once = !!given.once, passive = !!given.passive;
      const { signal } = given;
      const abort = signal === undefined ? null : internal.part('abort');
      if (abort !== null && !abort.isAbortSignal(signal)) {
        throw wrongType('options.signal', 'an instance of AbortSignal', signal);
      }
      if (callback === null || callback === undefined) return;
      if (!isObject(callback)) throw wrongType('listener', 'an instance of EventListener', callback);
      if (abort !== null && abort.isAborted(signal)) return;
      if (this.#find(name, callback, capture) !== undefined) return;
      const listener = { type: name, callback, capture, once, passive, removed: false, handler: undefined };
      this.#add(listener);
      if (abort !== null) abort.whenAborted(signal, () => this.#remove(listener));
    }

    removeEventListener(type, callback, options = undefined) {
      this.#listeners;
      required(arguments.length, 'type', 'listener');
      const capture = !!(isObject(options) ? options.capture : options);
      const listener = this.#find(string(type), callback, capture);
      if (listener !== undefined) this.#remove(listener);
    }

    dispatchEvent(event) {
      this.#listeners;
      required(arguments.length, 'event');
      if (!isEvent(event)) throw wrongType('event', 'an instance of Event', event);
      return this.#dispatch(event, false);
    }

    #dispatch(event, trusted) {
      begin(event, this);
      setTrusted(event, trusted);
      // Those who listen to the way down come first, also at the target itself.
      try {
        this.#call(event, true);
        if (!isStopped(event, false)) this.#call(event, false);
      } finally {
        end(event);
      }
      return !canceled(event);
    }

    #call(event, capture) {
      const type = typeOf(event);
      // A copy: who is added meanwhile is not called, and who is removed is marked.
      const listeners = apply(slice, this.#listeners, []);
      for (let i = 0; i < listeners.length; i++) {
        const listener = listeners[i];
        if (listener.removed || listener.type !== type || listener.capture !== capture) continue;
        if (listener.once) this.#remove(listener);
        setPassive(event, listener.passive);
        try {
          this.#invoke(listener.callback, event);
        } catch (error) {
          report(error);
        }
        setPassive(event, false);
        if (isStopped(event, true)) return;
      }
    }

    #invoke(callback, event) {
      if (typeof callback === 'function') {
        apply(callback, this, [event]);
        return;
      }
      const handle = callback.handleEvent;
      if (typeof handle !== 'function') throw typeError('The listener\'s "handleEvent" is not a function');
      apply(handle, callback, [event]);
    }
  }
  expose(EventTarget, 'EventTarget');

  return { Event, CustomEvent, EventTarget, dispatch, handlerOf, setHandler, watch };
})
