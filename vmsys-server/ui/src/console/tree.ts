/** Values as trees: what the daemon noted of them when they were shown, and how it is read. */
import type { TreeEntry, ValueTree } from '../api/schema';

export type Node = ValueTree;
export type Entry = TreeEntry;

/** A value itself, and not the mark that it was shown before. */
export type Tree = ValueTree & { type: NonNullable<ValueTree['type']>; text: string };

/** Whether a node only says which value it is: a cycle, or the same thing again. */
export function isAgain(node: Node): node is Node & { ref: number } {
  return node.ref !== undefined;
}

/** What a node is of itself. */
function own(node: Node): Tree {
  return { ...node, type: node.type ?? 'object', text: node.text ?? '' };
}

/** Every value of a tree that others refer to, by its number. */
export function numbered(roots: readonly Node[]): Map<number, Tree> {
  const found = new Map<number, Tree>();
  const open: Node[] = [...roots];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (isAgain(node)) continue;
    if (node.id !== undefined) found.set(node.id, own(node));
    for (const entry of node.entries ?? []) {
      open.push(entry.value);
      if (entry.key_tree) open.push(entry.key_tree);
    }
  }
  return found;
}

/** Whether there is something to see when a value is opened. */
export function canOpen(tree: Tree): boolean {
  return (tree.entries?.length ?? 0) > 0 || isLong(tree);
}

/** Texts longer than this are shown whole only when they are opened. */
const LONG = 200;

export function isLong(tree: Tree): boolean {
  return tree.type === 'string' && tree.text.length > LONG;
}

/** A line of an opened tree. */
export interface Line {
  /** Where it is: the places of entries from the root on. */
  path: string;
  depth: number;
  /** What stands before the value. */
  label: string | null;
  kind: TreeEntry['kind'] | null;
  keyTree: Node | null;
  tree: Tree;
  /** Whether the value was shown above as well. */
  isAgain: boolean;
  canOpen: boolean;
  isOpen: boolean;
  /** A line that only says that there is more. */
  note?: string;
}

/** The lines that are seen when these places are open. A value within itself can be opened as often as one likes. */
export function lines(root: Node, refs: ReadonlyMap<number, Tree>, open: ReadonlySet<string>): Line[] {
  const found: Line[] = [];
  const visit = (node: Node, path: string, depth: number, entry: Entry | null) => {
    const tree = isAgain(node) ? refs.get(node.ref) : own(node);
    if (tree === undefined) return;
    const openable = canOpen(tree);
    const isOpen = openable && open.has(path);
    found.push({
      path,
      depth,
      label: entry?.key ?? null,
      kind: entry?.kind ?? null,
      keyTree: entry?.key_tree ?? null,
      tree,
      isAgain: isAgain(node),
      canOpen: openable,
      isOpen,
    });
    if (!isOpen) return;
    tree.entries?.forEach((child, index) => visit(child.value, `${path}.${index}`, depth + 1, child));
    if (tree.more && tree.type !== 'string') {
      found.push({
        path: `${path}.more`,
        depth: depth + 1,
        label: null,
        kind: null,
        keyTree: null,
        tree: { type: 'undefined', text: '' },
        isAgain: false,
        canOpen: false,
        isOpen: false,
        note: `${tree.more.toLocaleString('en-GB')} more, not kept`,
      });
    }
  };
  visit(root, '0', 0, null);
  return found;
}

/** Where the focus goes from a line by a key, and what is opened or closed. */
export function move(
  all: readonly Line[],
  at: number,
  key: string,
): { at: number; toggle?: string } | null {
  const line = all[at];
  if (line === undefined) return null;
  switch (key) {
    case 'ArrowDown':
      return { at: Math.min(at + 1, all.length - 1) };
    case 'ArrowUp':
      return { at: Math.max(at - 1, 0) };
    case 'Home':
      return { at: 0 };
    case 'End':
      return { at: all.length - 1 };
    case 'ArrowRight':
      if (!line.canOpen) return { at };
      if (!line.isOpen) return { at, toggle: line.path };
      return { at: (all[at + 1]?.depth ?? 0) > line.depth ? at + 1 : at };
    case 'ArrowLeft': {
      if (line.isOpen) return { at, toggle: line.path };
      for (let up = at - 1; up >= 0; up -= 1) if ((all[up]?.depth ?? 0) < line.depth) return { at: up };
      return { at };
    }
    case 'Enter':
    case ' ':
      return line.canOpen ? { at, toggle: line.path } : { at };
    default:
      return null;
  }
}
