/** Which keys do what. */
import { Dialog } from './Dialog';

const KEYS: [string, [string, string][]][] = [
  [
    'Everywhere',
    [
      ['Ctrl K', 'Go to a page, a session or a template'],
      ['?', 'These keys'],
      ['Esc', 'Close what is open'],
    ],
  ],
  [
    'Console input',
    [
      ['Enter', 'Run, when the input is complete; else a new line'],
      ['Ctrl Enter', 'Run in any case'],
      ['Shift Enter', 'New line'],
      ['↑ ↓', 'Earlier and later inputs, at the first and last line'],
      ['Ctrl R', 'Search earlier inputs'],
      ['Tab', 'Complete a name'],
      ['Esc, Ctrl C', 'Stop what runs'],
      ['Ctrl L', 'Clear the view'],
    ],
  ],
  [
    'Values in the log',
    [
      ['→ ←', 'Open and close, go in and out'],
      ['↑ ↓', 'To the previous and next one'],
      ['Home End', 'To the first and last one'],
    ],
  ],
];

export default function Keys({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      {KEYS.map(([title, keys]) => (
        <section key={title} className="keys">
          <h3>{title}</h3>
          <dl>
            {keys.map(([key, what]) => (
              <div key={key}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Dialog>
  );
}
