// FormData: names with texts and files.
(function (internal) {
  'use strict';
  const { expose, isObject, iterable, platform, required, setPair, typeError, usv } = internal.part('webidl');
  const { File, isBlob } = internal.part('blob');

  // Files as they are, other blobs as files: their bytes are shared, not copied again, by neither.
  function entryOf(value, filename, given) {
    if (!isBlob(value)) {
      if (given) throw typeError('The "value" argument must be an instance of Blob', 'ERR_INVALID_ARG_TYPE');
      return usv(value);
    }
    if (value instanceof File && !given) return value;
    const name = given ? usv(filename) : 'blob';
    const options = { __proto__: null, type: value.type };
    if (value instanceof File) options.lastModified = value.lastModified;
    return new File([value], name, options);
  }

  let sizeOf, nameAt, valueAt, isFormData;

  class FormData {
    // Names and values in turn.
    #list = [];

    constructor(form = undefined) {
      if (form !== undefined) throw typeError('FormData takes no form: there are none here', 'ERR_INVALID_ARG_TYPE');
    }
    static {
      sizeOf = (data) => data.#list.length / 2;
      nameAt = (data, at) => data.#list[2 * at];
      valueAt = (data, at) => data.#list[2 * at + 1];
      isFormData = (value) => isObject(value) && #list in value;
      platform[platform.length] = isFormData;
    }

    append(name, value, filename = undefined) {
      this.#list;
      required(arguments.length, 'name', 'value');
      const key = usv(name);
      const entry = entryOf(value, filename, filename !== undefined);
      const list = this.#list;
      list[list.length] = key;
      list[list.length] = entry;
    }
    delete(name) {
      this.#list;
      required(arguments.length, 'name');
      const key = usv(name);
      const list = this.#list;
      let kept = 0;
      for (let i = 0; i < list.length; i += 2) {
        if (list[i] === key) continue;
        list[kept] = list[i];
        list[kept + 1] = list[i + 1];
        kept += 2;
      }
      list.length = kept;
    }
    get(name) {
      const list = this.#list;
      required(arguments.length, 'name');
      const key = usv(name);
      for (let i = 0; i < list.length; i += 2) if (list[i] === key) return list[i + 1];
      return null;
    }
    getAll(name) {
      const list = this.#list;
      required(arguments.length, 'name');
      const key = usv(name);
      const values = [];
      for (let i = 0; i < list.length; i += 2) if (list[i] === key) values[values.length] = list[i + 1];
      return values;
    }
    has(name) {
      const list = this.#list;
      required(arguments.length, 'name');
      const key = usv(name);
      for (let i = 0; i < list.length; i += 2) if (list[i] === key) return true;
      return false;
    }
    set(name, value, filename = undefined) {
      this.#list;
      required(arguments.length, 'name', 'value');
      const key = usv(name);
      const entry = entryOf(value, filename, filename !== undefined);
      setPair(this.#list, key, entry);
    }
  }
  iterable(FormData, 'FormData', sizeOf, nameAt, valueAt);
  expose(FormData, 'FormData');

  return { FormData, isFormData, nameAt, sizeOf, valueAt };
})
