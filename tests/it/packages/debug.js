// Has a build for terminals and one for browsers, and asks `process` which it is to be.
const debug = require('debug');
debug.enable('app:*,-app:quiet');
const log = debug('app:one');
let calls = 0;
log.log = (text, ...rest) => console.log(++calls, text.includes('%s has %d'), rest.slice(0, 2));
log('%s has %d', 'a', 2);
console.log(log.enabled, log.extend('two').namespace, debug('app:quiet').enabled, debug('other').enabled);
console.log(debug.disable(), log.enabled);
