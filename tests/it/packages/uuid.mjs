// A build for Node and one for browsers.
import { NIL, v3, v4, v5, v7, validate, version } from 'uuid';

console.log(validate(v4()), version(v7()), v3('a', v3.DNS), v5('a', v5.URL), NIL);
