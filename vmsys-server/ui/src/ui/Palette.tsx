/** Ctrl+K: to any page, session or template by a few letters of its name. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { sessionsQuery, templatesQuery } from '../api/queries';
import { shortId } from '../lib/format';
import { matches } from '../lib/match';
import { Dialog } from './Dialog';

interface Item {
  kind: string;
  label: string;
  detail: string;
  go: () => void;
}

const MOST = 12;

export default function Palette({ onClose, onKeys }: { onClose: () => void; onKeys: () => void }) {
  const [, navigate] = useLocation();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const { data: sessions = [] } = useQuery(sessionsQuery({}));
  const { data: templates = [] } = useQuery(templatesQuery());

  const to = (href: string) => () => {
    onClose();
    navigate(href);
  };
  const items: Item[] = [
    { kind: 'Page', label: 'Sessions', detail: '/sessions', go: to('/sessions') },
    { kind: 'Page', label: 'Templates', detail: '/templates', go: to('/templates') },
    { kind: 'Page', label: 'System', detail: '/system', go: to('/system') },
    { kind: 'Page', label: 'Reference', detail: '/reference', go: to('/reference') },
    { kind: 'Action', label: 'New session', detail: '', go: to('/sessions?new=1') },
    { kind: 'Action', label: 'New template', detail: '', go: to('/templates?new=1') },
    { kind: 'Help', label: 'Keys', detail: '?', go: onKeys },
    ...sessions.map((session) => ({
      kind: 'Session',
      label: `${session.workspace_id} ${shortId(session.id)}`,
      detail: `${session.status} · ${session.worktree_path}`,
      go: to(`/sessions/${session.id}`),
    })),
    ...templates.map((template) => ({
      kind: 'Template',
      label: template.name,
      detail: shortId(template.id),
      go: to(`/templates/${template.id}`),
    })),
  ];
  const found = items.filter((item) => matches(`${item.kind} ${item.label} ${item.detail}`, text)).slice(0, MOST);
  const current = Math.min(at, found.length - 1);

  return (
    <Dialog title="Go to" onClose={onClose} className="palette" bare>
      <input
        type="text"
        role="combobox"
        aria-label="Go to a page, session or template"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={current >= 0 ? `palette-${current}` : undefined}
        aria-autocomplete="list"
        placeholder="Page, session, template…"
        data-focus
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') setAt((current + 1) % Math.max(1, found.length));
          else if (event.key === 'ArrowUp') setAt((current - 1 + found.length) % Math.max(1, found.length));
          else if (event.key === 'Enter') found[current]?.go();
          else return;
          event.preventDefault();
        }}
      />
      <ul id="palette-list" role="listbox" aria-label="Places">
        {found.map((item, index) => (
          <li
            key={`${item.kind} ${item.label} ${item.detail}`}
            id={`palette-${index}`}
            role="option"
            aria-selected={index === current}
            onPointerMove={() => setAt(index)}
            onClick={item.go}
          >
            <span className="faint kind">{item.kind}</span> {item.label} <span className="faint">{item.detail}</span>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="faint pad">Nothing has that in its name.</p>}
    </Dialog>
  );
}
