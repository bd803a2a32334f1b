/**
 * Writes src/api/schema.d.ts from the OpenAPI document that the daemon's tests keep; with --check, says whether it is what
 * it would be.
 */
import { readFile, writeFile } from 'node:fs/promises';
import openapi, { astToString } from 'openapi-typescript';

const document = new URL('../../../tests/golden/openapi.json', import.meta.url);
const target = new URL('../src/api/schema.d.ts', import.meta.url);

const options = { alphabetize: true, defaultNonNullable: false, rootTypes: true, rootTypesNoSchemaPrefix: true };
const types = astToString(await openapi(document, options))
  .replace(/[ \t]+$/gm, '')
  .trimEnd();
const text = `/** Written by \`npm run types\` from tests/golden/openapi.json. */\n${types}\n`;

if (process.argv.includes('--check')) {
  if ((await readFile(target, 'utf8').catch(() => '')) !== text) {
    console.error('src/api/schema.d.ts is not what tests/golden/openapi.json says: run `npm run types`');
    process.exit(1);
  }
} else {
  await writeFile(target, text);
}
