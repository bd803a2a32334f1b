/** A value that can be opened: by mouse, and by the keys that trees have. */
import { memo, useMemo, useRef } from 'react';
import { Icon } from '../ui/Icon';
import { isAgain, isLong, type Line, lines, move, type Node, numbered, type Tree } from './tree';

/** What is open in a value; it outlives the row, which goes when it is scrolled out of sight. */
export interface Opened {
  get(): ReadonlySet<string>;
  set(open: ReadonlySet<string>): void;
}

interface Props {
  root: Node;
  /** All values of the same event, which may refer to one another. */
  all: readonly Node[];
  open: ReadonlySet<string>;
  onOpen: (open: ReadonlySet<string>) => void;
  label: string;
}

export const ValueTree = memo(function ValueTree({ root, all, open, onOpen, label }: Props) {
  const refs = useMemo(() => numbered(all), [all]);
  const shown = lines(root, refs, open);
  const focus = useRef(0);
  const list = useRef<HTMLDivElement>(null);
  const current = Math.min(focus.current, shown.length - 1);

  const toggle = (path: string) => {
    const next = new Set(open);
    if (!next.delete(path)) next.add(path);
    onOpen(next);
  };
  const focusOn = (index: number) => {
    focus.current = index;
    const item = list.current?.children[index];
    if (item instanceof HTMLElement) item.focus();
  };

  return (
    <div
      ref={list}
      className="tree"
      role="tree"
      aria-label={label}
      onKeyDown={(event) => {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        const index = Array.from(list.current?.children ?? []).indexOf(event.target as Element);
        const moved = index < 0 ? null : move(shown, index, event.key);
        if (moved === null) return;
        event.preventDefault();
        event.stopPropagation();
        if (moved.toggle !== undefined) toggle(moved.toggle);
        focusOn(moved.at);
      }}
    >
      {shown.map((line, index) => (
        <div
          key={line.path}
          role="treeitem"
          aria-level={line.depth + 1}
          aria-expanded={line.canOpen ? line.isOpen : undefined}
          aria-selected={false}
          tabIndex={index === current ? 0 : -1}
          className="leaf"
          style={{ paddingInlineStart: `${line.depth * 14 + (line.canOpen ? 0 : 14)}px` }}
          onFocus={() => {
            focus.current = index;
          }}
          onClick={(event) => {
            // Whoever marks text to copy it does not mean to open anything.
            if (!line.canOpen || (getSelection()?.toString() ?? '') !== '') return;
            event.stopPropagation();
            toggle(line.path);
          }}
        >
          {line.canOpen && (
            <span className={line.isOpen ? 'twist open' : 'twist'}>
              <Icon name="chevron" />
            </span>
          )}
          {line.note ? <span className="faint">{line.note}</span> : <Leaf line={line} />}
        </div>
      ))}
    </div>
  );
});

function Leaf({ line }: { line: Line }) {
  return (
    <span className="leaf-text">
      {line.label !== null && (
        <>
          {line.keyTree ? <Short tree={line.keyTree} /> : <span className={`key ${line.kind ?? ''}`}>{line.label}</span>}
          <span className="faint">{line.kind === 'entry' ? ' → ' : ': '}</span>
        </>
      )}
      {line.isAgain && <span className="faint again">↻ </span>}
      <Value tree={line.tree} whole={line.isOpen} />
    </span>
  );
}

function Short({ tree }: { tree: Node }) {
  if (isAgain(tree)) return <span className="faint">↻</span>;
  return <Value tree={{ ...tree, type: tree.type ?? 'object', text: tree.text ?? '' }} whole={false} />;
}

/** A value's own text. */
export function Value({ tree, whole }: { tree: Tree; whole: boolean }) {
  const quoted = tree.type === 'string' ? JSON.stringify(tree.text) : tree.text;
  if (isLong(tree) && !whole) {
    return (
      <span className="v-string">
        {quoted.slice(0, 120)}
        <span className="faint">… {tree.text.length.toLocaleString('en-GB')} characters</span>
      </span>
    );
  }
  if (isLong(tree)) {
    return (
      <span className="v-string whole" tabIndex={0} role="group" aria-label="Text">
        {tree.text}
        {tree.more ? <span className="faint">… {tree.more.toLocaleString('en-GB')} more characters, not kept</span> : null}
      </span>
    );
  }
  return <span className={`v-${tree.type}`}>{quoted}</span>;
}
