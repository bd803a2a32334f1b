// CommonJS with ten dependencies: HMAC, streams and keys of Node's.
const jwt = require('jsonwebtoken');
const token = jwt.sign({ a: 1, iat: 1 }, 'secret', { issuer: 'me' });
console.log(token);
console.log(JSON.stringify([jwt.verify(token, 'secret'), jwt.decode(token, { complete: true }).header]));
try {
  jwt.verify(token, 'other');
} catch (error) {
  console.log(error.name, error.message);
}
