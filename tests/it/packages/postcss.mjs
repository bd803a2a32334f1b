// Reads files where there are any, and says in its description that it can do without.
import postcss from 'postcss';

const blue = { postcssPlugin: 'blue', Declaration(found) { if (found.value === 'red') found.value = 'blue'; } };
const { css } = await postcss([blue]).process('a { color: red }', { from: undefined });
console.log(css);
try {
  postcss.parse('a { color: red');
} catch (error) {
  console.log(error.name, error.reason);
}
