// The module `process`: the object that the global is, whatever a script has made of the global's name.
(function (internal) {
  'use strict';
  return internal.natives.process();
})
