// `util.types`: what a value is inside, whatever its prototype and its tags say.
(function (internal) {
  'use strict';
  const { classOf, isNamespace } = internal.natives;

  const TYPED = ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array',
    'Uint32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'];
  const BOXED = ['Number', 'String', 'Boolean', 'BigInt', 'Symbol'];
  const tests = {
    Date: ['Date'],
    ArgumentsObject: ['Arguments'],
    BigIntObject: ['BigInt'],
    BooleanObject: ['Boolean'],
    NumberObject: ['Number'],
    StringObject: ['String'],
    SymbolObject: ['Symbol'],
    BoxedPrimitive: BOXED,
    NativeError: ['Error'],
    RegExp: ['RegExp'],
    AsyncFunction: ['AsyncFunction', 'AsyncGeneratorFunction'],
    GeneratorFunction: ['GeneratorFunction', 'AsyncGeneratorFunction'],
    GeneratorObject: ['Generator', 'AsyncGenerator'],
    Promise: ['Promise'],
    Map: ['Map'],
    Set: ['Set'],
    MapIterator: ['Map Iterator'],
    SetIterator: ['Set Iterator'],
    WeakMap: ['WeakMap'],
    WeakSet: ['WeakSet'],
    ArrayBuffer: ['ArrayBuffer'],
    DataView: ['DataView'],
    SharedArrayBuffer: ['SharedArrayBuffer'],
    Proxy: ['Proxy'],
    AnyArrayBuffer: ['ArrayBuffer', 'SharedArrayBuffer'],
    TypedArray: [...TYPED, 'Float16Array'],
    ArrayBufferView: [...TYPED, 'Float16Array', 'DataView'],
  };
  for (const name of TYPED) tests[name] = [name];

  // No value here comes from C++.
  const types = { isExternal: (value) => false, isModuleNamespaceObject: (value) => isNamespace(value) };
  for (const name of Object.keys(tests)) {
    const classes = tests[name];
    const first = classes[0];
    const key = `is${name}`;
    const test = classes.length === 1
      ? { [key](value) { return classOf(value) === first; } }
      : { [key](value) { return classes.includes(classOf(value)); } };
    types[key] = test[key];
  }
  return types;
})
