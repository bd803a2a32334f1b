// MessageChannel, MessagePort and MessageEvent: two ends in one session, between which copies of values go.
(function (internal) {
  'use strict';
  const { coded, dictionary, expose, required, typeError, uncurry } = internal.part('webidl');
  const { Event, EventTarget, dispatch, handlerOf, setHandler } = internal.part('events');
  const { structuredClone } = internal.part('clone');
  const task = setImmediate;
  const push = uncurry(Array.prototype.push), shift = uncurry(Array.prototype.shift);
  const pass = {};

  class MessageEvent extends Event {
    #data;
    constructor(type, options = undefined) {
      required(arguments.length, 'type');
      super(type, options);
      const { data } = dictionary(options, 'options');
      this.#data = data === undefined ? null : data;
    }
    get data() { return this.#data; }
    get origin() { return ''; }
    get lastEventId() { return ''; }
    get source() { return null; }
    get ports() { return []; }
  }
  expose(MessageEvent, 'MessageEvent');

  let join;
  class MessagePort extends EventTarget {
    #other = null;
    // What has come while nobody listened, or is on its way.
    #queue = [];
    #started = false;
    #scheduled = false;
    constructor(token = undefined) {
      if (token !== pass) throw coded(typeError('Illegal constructor'), 'ERR_CONSTRUCT_CALL_INVALID');
      super();
    }
    static {
      join = (one, other) => {
        one.#other = other;
        other.#other = one;
      };
    }

    postMessage(message, options = undefined) {
      const other = this.#other;
      required(arguments.length, 'message');
      const copy = structuredClone(message, Array.isArray(options) ? { transfer: options } : options);
      if (other === null) return;
      push(other.#queue, copy);
      other.#schedule();
    }
    start() {
      this.#started = true;
      this.#schedule();
    }
    close() {
      const other = this.#other;
      this.#other = null;
      if (other !== null) other.#other = null;
    }
    get onmessage() { return handlerOf(this, 'message'); }
    set onmessage(handler) {
      setHandler(this, 'message', handler);
      this.start();
    }

    // One message a task, so that others get their turn.
    #schedule() {
      if (this.#scheduled || !this.#started || this.#queue.length === 0) return;
      this.#scheduled = true;
      task(() => {
        this.#scheduled = false;
        const data = shift(this.#queue);
        this.#schedule();
        dispatch(this, new MessageEvent('message', { data }), true);
      });
    }
  }
  expose(MessagePort, 'MessagePort');

  class MessageChannel {
    #ports = [new MessagePort(pass), new MessagePort(pass)];
    constructor() {
      join(this.#ports[0], this.#ports[1]);
    }
    get port1() { return this.#ports[0]; }
    get port2() { return this.#ports[1]; }
  }
  expose(MessageChannel, 'MessageChannel');

  return { MessageChannel, MessageEvent, MessagePort };
})
