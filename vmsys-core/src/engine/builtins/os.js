// `os`: what is the same for every session. Of the host it says nothing.
(function (internal) {
  'use strict';
  return { EOL: '\n', devNull: '/dev/null', endianness: () => 'LE', platform: () => 'linux', type: () => 'Linux' };
})
