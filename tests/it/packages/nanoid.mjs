// Random bytes by whichever way the map of exports picks.
import { customAlphabet, nanoid } from 'nanoid';

console.log(nanoid().length, customAlphabet('a', 4)(), nanoid() === nanoid());
