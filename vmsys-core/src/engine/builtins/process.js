// What `process` has beside its view of the run: each member is made when it is first touched.
(function (internal) {
  'use strict';
  const { moduleNames, now, origin, write } = internal.natives;
  const { invalidArgType, validateArray, validateFunction, validateString } = internal.part('node_errors');
  const { apply } = Reflect;
  const enqueue = queueMicrotask;
  const start = origin();

  // Node runs these before the jobs of promises. Here they are such jobs, and run in the order in which all are queued.
  function nextTick(callback, ...args) {
    validateFunction(callback, 'callback');
    enqueue(() => apply(callback, undefined, args));
  }

  // The host's clock has milliseconds.
  function hrtime(previous = undefined) {
    const elapsed = now() - start;
    let seconds = Math.floor(elapsed / 1000);
    let nanoseconds = (elapsed % 1000) * 1e6;
    if (previous !== undefined) {
      validateArray(previous, 'time');
      seconds -= previous[0];
      nanoseconds -= previous[1];
      if (nanoseconds < 0) {
        seconds--;
        nanoseconds += 1e9;
      }
    }
    return [seconds, nanoseconds];
  }
  hrtime.bigint = function bigint() { return BigInt(now() - start) * 1000000n; };

  const uptime = () => (now() - start) / 1000;

  function emitWarning(warning, type = undefined, code = undefined) {
    let detail;
    if (type !== null && typeof type === 'object') ({ type, code, detail } = type);
    if (typeof type === 'function') type = undefined;
    if (typeof code === 'function') code = undefined;
    if (type !== undefined) validateString(type, 'type');
    if (code !== undefined) validateString(code, 'code');
    if (typeof warning === 'string') {
      const message = warning;
      warning = new Error(message);
      warning.name = type || 'Warning';
      if (code !== undefined) warning.code = code;
      if (detail !== undefined) warning.detail = detail;
    } else if (!(warning instanceof Error)) {
      throw invalidArgType('warning', ['Error', 'string'], warning);
    }
    const about = warning.code === undefined ? '' : `[${warning.code}] `;
    const more = typeof warning.detail === 'string' ? `${warning.detail}\n` : '';
    write(2, `${about}${warning.name}: ${warning.message}\n${more}`);
    nextTick(() => emitter().emit('warning', warning));
  }

  // What happens to a session is told to nobody in it: only what a script emits is heard.
  let events;
  function emitter() {
    if (events === undefined) events = new (internal.part('node_events'))();
    return events;
  }
  const members = {};
  const chained = ['on', 'once', 'off', 'addListener', 'removeListener', 'removeAllListeners', 'prependListener',
    'prependOnceListener', 'setMaxListeners'];
  for (const name of chained) {
    members[name] = {
      [name](...args) {
        emitter()[name](...args);
        return this;
      },
    }[name];
  }
  for (const name of ['emit', 'listeners', 'rawListeners', 'listenerCount', 'eventNames', 'getMaxListeners']) {
    members[name] = { [name](...args) { return emitter()[name](...args); } }[name];
  }

  const streams = [];
  function stream(fd) {
    if (streams[fd] !== undefined) return streams[fd];
    const { Writable } = internal.part('vendor/stream');
    const { StringDecoder } = internal.part('string_decoder');
    const decoder = new StringDecoder('utf8');
    const made = new Writable({
      decodeStrings: false,
      write(chunk, encoding, done) {
        let text = chunk;
        if (typeof chunk !== 'string') text = decoder.write(chunk);
        else if (encoding === 'hex' || encoding === 'base64' || encoding === 'base64url') {
          text = decoder.write(internal.part('buffer').Buffer.from(chunk, encoding));
        }
        // First, so that the stream is ready for the next execution where this one ends here.
        done();
        if (text !== '') write(fd, text);
      },
      // A script's last word on it is not the session's.
      destroy(error, done) { done(error); },
    });
    made.fd = fd;
    made.isTTY = false;
    streams[fd] = made;
    return made;
  }

  return {
    ...members,
    nextTick, hrtime, uptime, emitWarning,
    // No Node's: packages that find none take the way that needs less of it.
    version: '',
    versions: {},
    // Where there are no files, packages that ask are to take what they have for browsers.
    get browser() { return moduleNames().includes('fs') ? undefined : true; },
    pid: 1,
    arch: 'x64',
    execPath: 'vm-system',
    execArgv: [],
    get stdout() { return stream(1); },
    get stderr() { return stream(2); },
  };
})
