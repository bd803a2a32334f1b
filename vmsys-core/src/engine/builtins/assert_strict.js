// `assert/strict`.
(function (internal) {
  'use strict';
  return internal.part('vendor/assert').strict;
})
