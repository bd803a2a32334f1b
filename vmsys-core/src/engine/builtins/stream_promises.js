// `stream/promises`: `pipeline` and `finished` that answer promises.
(function (internal) {
  'use strict';
  return internal.part('vendor/stream').promises;
})
