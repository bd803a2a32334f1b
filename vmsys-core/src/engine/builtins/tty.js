// `tty`: there is no terminal here.
(function (internal) {
  'use strict';
  return { isatty: (fd) => false };
})
