/** Requests as commands that do the same. */
import { token } from '../api/token';

/** Quotes a word for a POSIX shell. */
export function quote(text: string): string {
  return /^[A-Za-z0-9_\-./:=@%+,]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A curl command; the token stays out of it, by a variable that has it. */
export function curl(method: string, path: string, body?: unknown, origin = location.origin, guarded = token() !== null): string {
  const words = ['curl', '-sS'];
  if (method !== 'GET') words.push('-X', method);
  words.push(quote(`${origin}${path}`));
  const lines = [words.join(' ')];
  if (guarded) lines.push('-H "Authorization: Bearer $VM_SYSTEM_TOKEN"');
  if (body !== undefined) {
    lines.push(`-H ${quote('Content-Type: application/json')}`, `--data ${quote(JSON.stringify(body))}`);
  }
  return lines.join(' \\\n  ');
}

/** A command of `vm-system`, told which daemon if it is not the usual one. */
export function cli(words: string[], origin = location.origin): string {
  const usual = origin === 'http://127.0.0.1:3210';
  return ['vm-system', ...(usual ? [] : ['--server-url', origin]), ...words].map(quote).join(' ');
}
