/** A dialog of the browser's own: it keeps the focus, gives it back, and closes on Escape. */
import { type ReactNode, useEffect, useId, useRef } from 'react';
import { Icon } from './Icon';

export function Dialog(props: { title: string; onClose: () => void; children: ReactNode; className?: string; bare?: boolean }) {
  const ref = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    dialog?.showModal();
    // A dialog would begin at its first button, which closes it.
    dialog?.querySelector<HTMLElement>('[data-focus]')?.focus();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      className={props.className}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        props.onClose();
      }}
      onPointerDown={(event) => {
        if (event.target === ref.current) props.onClose();
      }}
    >
      <div className="dialog-body">
        <header className={props.bare ? 'visually-hidden' : undefined}>
          <h2 id={heading}>{props.title}</h2>
          {!props.bare && (
            <button type="button" className="quiet only-icon" aria-label="Close dialog" onClick={props.onClose}>
              <Icon name="close" />
            </button>
          )}
        </header>
        {props.children}
      </div>
    </dialog>
  );
}

/** Asks before something is done that cannot be undone. */
export function Confirm(props: {
  title: string;
  action: string;
  busy: boolean;
  onConfirm: () => void;
  onClose: () => void;
  children: ReactNode;
}) {
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <div className="stack">
        {props.children}
        <div className="actions">
          <button type="button" onClick={props.onClose}>
            Keep
          </button>
          <button type="button" className="danger" disabled={props.busy} onClick={props.onConfirm} data-focus>
            {props.action}
          </button>
        </div>
      </div>
    </Dialog>
  );
}
