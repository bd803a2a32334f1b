// The module `database` as a global.
(function (internal) {
  'use strict';
  return { db: internal.part('database') };
})
