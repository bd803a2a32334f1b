/** An error's text, apart into what is said and where it happened. */

export interface Frame {
  /** The line as it stands. */
  text: string;
  name: string;
  /** A file of the worktree; not set for snippets, which have no place of their own. */
  file?: string;
  line?: number;
  column?: number;
}

const FRAME = /^\s+at (?:(.*?) \()?([^()\s][^()]*?):(\d+):(\d+)\)?$/;

export function parse(text: string): { message: string; frames: Frame[] } {
  const rows = text.split('\n');
  const first = rows.findIndex((row) => /^\s+at /.test(row));
  if (first < 0) return { message: text, frames: [] };
  return { message: rows.slice(0, first).join('\n'), frames: rows.slice(first).filter((row) => row !== '').map(frame) };
}

function frame(row: string): Frame {
  const text = row.trim();
  const match = FRAME.exec(row);
  if (match === null) return { text, name: text.replace(/^at /, '') };
  const [, name = '', place = '', line, column] = match;
  const position = { line: Number(line), column: Number(column) };
  // What was typed has no file; nor has what the engine itself is made of.
  const isFile = /[./]/.test(place) && !/^(repl|node:|vm:|<)/.test(place);
  return { text, name, ...position, ...(isFile && { file: place.replace(/^\.?\//, '') }) };
}
