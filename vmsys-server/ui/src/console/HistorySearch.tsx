/** The search in what was run. */
import { useState } from 'react';
import type { HistoryWalk } from './history';

/** Ctrl+R: the newest input with a text in it, and those before. */
export function HistorySearch({ walk, onPick, onClose }: {
  walk: HistoryWalk;
  onPick: (text: string) => void;
  onClose: () => void;
}) {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const found = walk.find(text, 50);
  const current = Math.min(at, found.length - 1);
  return (
    <div className="history-search">
      <input
        type="text"
        role="combobox"
        aria-label="Search earlier inputs"
        aria-expanded="true"
        aria-controls="history-list"
        aria-activedescendant={current >= 0 ? `history-${current}` : undefined}
        placeholder="Search earlier inputs…"
        autoFocus
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onBlur={onClose}
        onKeyDown={(event) => {
          const older = event.key === 'ArrowUp' || (event.ctrlKey && event.key === 'r');
          if (older) setAt(Math.min(current + 1, found.length - 1));
          else if (event.key === 'ArrowDown') setAt(Math.max(0, current - 1));
          else if (event.key === 'Enter' || event.key === 'Tab') onPick(found[current] ?? text);
          else if (event.key === 'Escape') onClose();
          else return;
          event.preventDefault();
          event.stopPropagation();
        }}
      />
      <ul id="history-list" role="listbox" aria-label="Earlier inputs">
        {found.map((input, index) => (
          <li
            key={input}
            id={`history-${index}`}
            role="option"
            aria-selected={index === current}
            ref={index === current ? (item) => item?.scrollIntoView({ block: 'nearest' }) : undefined}
            onPointerDown={(event) => {
              event.preventDefault();
              onPick(input);
            }}
          >
            {input}
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="faint pad">Nothing was run with that in it.</p>}
    </div>
  );
}
