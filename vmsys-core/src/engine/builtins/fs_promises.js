// `fs/promises`: what `fs.promises` is.
(function (internal) {
  'use strict';
  return internal.part('fs').promises;
})
