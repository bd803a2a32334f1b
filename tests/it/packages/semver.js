// CommonJS without an exports map: forty-odd files that require each other, some in a circle.
const semver = require('semver');
const satisfies = require('semver/functions/satisfies');
const Range = require('semver/classes/range.js');
const pkg = require('semver/package.json');
console.log(JSON.stringify([
  pkg.name + '@' + pkg.version,
  semver.valid('v1.2.3'),
  semver.satisfies('1.4.0', '^1.2.0 || 3.x'),
  satisfies('2.0.0-beta.1', '>=2.0.0'),
  satisfies === semver.satisfies && Range === semver.Range,
  semver.sort(['1.10.0', '1.9.0', '2.0.0-rc.1']),
  semver.inc('1.2.3', 'prerelease', 'beta'),
  semver.maxSatisfying(['1.2.3', '1.9.9', '2.1.0'], '1'),
  new Range('~1.2').format(),
  semver.coerce('version 4.5 of it').version,
  (() => { try { new semver.SemVer('nonsense'); } catch (error) { return `${error.name}: ${error.message}`; } })(),
  require('semver') === semver,
  typeof module.exports,
]));
