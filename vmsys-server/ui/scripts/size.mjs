/** Says how much a browser loads for each page, compressed, and fails where that is more than was promised. */
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const WITHOUT_EDITOR = 100_000;
const WITH_EDITOR = 260_000;
const EDITOR = 'src/console/Editor.tsx';

const dist = new URL('../dist/', import.meta.url);
const manifest = JSON.parse(await readFile(new URL('manifest.json', dist), 'utf8'));

/** The files that come with a part, by name. */
function filesOf(key, files = new Set()) {
  const part = manifest[key];
  if (part === undefined) throw new Error(`${key} is not in the manifest: has the page moved?`);
  if (files.has(part.file)) return files;
  files.add(part.file);
  for (const style of part.css ?? []) files.add(style);
  for (const other of part.imports ?? []) filesOf(other, files);
  return files;
}

async function weigh(files) {
  const sizes = await Promise.all([...files].map(async (file) => gzipSync(await readFile(new URL(file, dist)), { level: 9 }).length));
  return sizes.reduce((sum, size) => sum + size, 0);
}

const pages = Object.keys(manifest).filter((key) => /^src\/pages\/[^/]+\.tsx$/.test(key));
if (pages.length === 0) throw new Error('the manifest has no pages');
let tooMuch = false;
for (const page of pages) {
  const first = new Set([...filesOf('index.html'), ...filesOf(page)]);
  const weights = [['', await weigh(first), WITHOUT_EDITOR]];
  if (page.endsWith('/Session.tsx')) {
    weights.push([' with its editor', await weigh(new Set([...first, ...filesOf(EDITOR)])), WITH_EDITOR]);
  }
  for (const [what, weight, most] of weights) {
    const verdict = weight <= most ? '' : `: more than ${most / 1000} kB`;
    console.log(`${(weight / 1000).toFixed(1).padStart(6)} kB  ${page}${what}${verdict}`);
    tooMuch ||= weight > most;
  }
}
process.exit(tooMuch ? 1 : 0);
