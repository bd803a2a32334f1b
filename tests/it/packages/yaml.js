// An exports map whose build for browsers is ES modules, required from CommonJS.
const YAML = require('yaml');
console.log(JSON.stringify(YAML.parse('a: &x [1, two]\nb: *x\nc: 2020-01-01')));
const document = YAML.parseDocument('# kept\na: 1\n');
document.set('b', [true]);
console.log(String(document).trim());
