// The same package from CommonJS: the map's `default` branch.
const clsx = require('clsx');
const { clsx: lite } = require('clsx/lite');
console.log(JSON.stringify([clsx({ a: 1, b: 0 }, ['c']), clsx.clsx === clsx, lite('a', {}, 'b'), typeof require('clsx')]));
