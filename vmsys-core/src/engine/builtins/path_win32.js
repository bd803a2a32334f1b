// `path/win32`.
(function (internal) {
  'use strict';
  return internal.part('vendor/path').win32;
})
