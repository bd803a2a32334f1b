// ES modules, and `import` of what is a default and named.
import { enableMapSet, isDraft, produce } from 'immer';

enableMapSet();
const before = { list: [1], map: new Map([['a', 1]]) };
const after = produce(before, (draft) => {
  draft.list.push(isDraft(draft));
  draft.map.set('b', 2);
});
console.log(JSON.stringify([before.list, after.list, [...after.map], Object.isFrozen(after)]));
