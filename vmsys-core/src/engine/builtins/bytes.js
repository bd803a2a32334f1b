// Text to bytes and back, for parts that answer either.
(function (internal) {
  'use strict';
  const { utf8Encode, utf8Decode } = internal.natives;
  return { utf8Encode, utf8Decode };
})
