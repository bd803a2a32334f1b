// `tty`: a session has no terminal.
(function () {
  'use strict';
  return { isatty: () => false };
})
