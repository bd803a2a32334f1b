// A stream of Node's, by its callback, by iteration and at once.
const { parse } = require('csv-parse');
const { parse: parseSync } = require('csv-parse/sync');
console.log(JSON.stringify(parseSync('a,b\n1,"x,y"', { columns: true })));
parse('a;b\n1;2', { delimiter: ';', columns: true }, async (error, rows) => {
  console.log(error, JSON.stringify(rows));
  const parser = parse({ cast: true });
  parser.end('1,2\n3,4\n');
  for await (const row of parser) console.log(JSON.stringify(row));
});
