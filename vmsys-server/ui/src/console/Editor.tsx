/**
 * The input: CodeMirror, which is loaded when a console is first shown.
 *
 * It lives in a shadow root. CodeMirror writes its styles as elements, which the page's policy forbids in a document; of a
 * shadow root it adopts style sheets instead.
 */
import { autocompletion, type CompletionResult, closeCompletion, completionStatus, startCompletion } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, insertNewlineAndIndent } from '@codemirror/commands';
import { javascript } from '@codemirror/lang-javascript';
import { bracketMatching, HighlightStyle, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { Compartment, EditorState, Prec } from '@codemirror/state';
import { EditorView, type Command, drawSelection, keymap, placeholder } from '@codemirror/view';
import { acceptCompletion } from '@codemirror/autocomplete';
import { tags } from '@lezer/highlight';
import { type RefObject, useEffect, useRef } from 'react';
import type { Completions } from '../api/schema';

export interface EditorHandle {
  text(): string;
  /** Puts a text in place of what is there, with the cursor at its end or where it is told. */
  set(text: string, cursor?: number): void;
  /** Breaks the line at the cursor. */
  breakLine(): void;
  focus(): void;
}

export interface EditorActions {
  enter(force: boolean): void;
  stop(): void;
  clear(): void;
  search(): void;
  older(current: string): string | null;
  newer(): string | null;
  complete(source: string, cursor: number): Promise<Completions | null>;
  changed(text: string): void;
}

interface Props {
  initial: string;
  isEnabled: boolean;
  hint: string;
  actions: RefObject<EditorActions>;
  handle: RefObject<EditorHandle | null>;
}

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.controlKeyword], color: 'var(--c-keyword)' },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: 'var(--c-string)' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: 'var(--c-number)' },
  { tag: [tags.comment, tags.lineComment, tags.blockComment], color: 'var(--faint)' },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName)], color: 'var(--c-function)' },
  { tag: [tags.propertyName, tags.definition(tags.variableName)], color: 'var(--text)' },
  { tag: tags.invalid, color: 'var(--bad)' },
]);

const look = EditorView.theme({
  '&': { fontSize: 'inherit', background: 'transparent', color: 'var(--text)', maxHeight: '40vh' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55', overflow: 'auto' },
  '.cm-content': { padding: '6px 0', caretColor: 'var(--text)' },
  '.cm-line': { padding: '0' },
  '.cm-cursor': { borderLeftColor: 'var(--text)', borderLeftWidth: '2px' },
  '.cm-placeholder': { color: 'var(--faint)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    background: 'var(--selection)',
  },
  '&.cm-focused .cm-matchingBracket': { background: 'var(--raised-2)', outline: '1px solid var(--line-strong)' },
  '.cm-tooltip': {
    background: 'var(--raised)',
    color: 'var(--text)',
    border: '1px solid var(--line-strong)',
    borderRadius: '6px',
    overflow: 'hidden',
    boxShadow: '0 6px 24px rgb(0 0 0 / 0.18)',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', maxHeight: '16em' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '2px 8px' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { background: 'var(--accent-fill)', color: 'var(--on-accent)' },
  '.cm-completionDetail': { color: 'inherit', opacity: '0.8', fontStyle: 'normal', marginLeft: '1.5em' },
  '.cm-completionIcon': { display: 'none' },
  '.cm-completionMatchedText': { textDecoration: 'none', fontWeight: '600' },
});

const words: Record<string, string> = { method: 'method', property: 'property', keyword: 'keyword', global: 'variable' };

export default function Editor({ initial, isEnabled, hint, actions, handle }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const enabled = useRef(new Compartment());
  const hints = useRef(new Compartment());
  const view = useRef<EditorView | null>(null);

  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const root = element.shadowRoot ?? element.attachShadow({ mode: 'open', delegatesFocus: true });

    const run = (force: boolean): Command => () => {
      actions.current.enter(force);
      return true;
    };
    const walk = (older: boolean): Command => (editor) => {
      const { state } = editor;
      const { main } = state.selection;
      if (!main.empty || completionStatus(state) !== null) return false;
      const line = state.doc.lineAt(main.head).number;
      if (line !== (older ? 1 : state.doc.lines)) return false;
      const text = older ? actions.current.older(state.doc.toString()) : actions.current.newer();
      if (text !== null) replace(editor, text);
      return true;
    };
    const tab: Command = (editor) => {
      if (acceptCompletion(editor)) return true;
      const { state } = editor;
      const { main } = state.selection;
      const before = state.doc.lineAt(main.head);
      const indent = state.sliceDoc(before.from, main.head);
      // In an empty input, Tab is the way out of it.
      if (state.doc.length === 0) return false;
      if (indent.trim() === '') {
        editor.dispatch(state.replaceSelection('  '));
        return true;
      }
      void complete(editor);
      return true;
    };

    /** Completes at once what there is one way to complete, or all ways have in common; and shows the ways. */
    async function complete(editor: EditorView): Promise<void> {
      const { state } = editor;
      const asked = placed(state, await actions.current.complete(state.doc.toString(), state.selection.main.head));
      if (asked === null || editor.state.doc !== state.doc || asked.items.length === 0) return;
      const labels = asked.items.map((item) => item.label);
      const typed = state.sliceDoc(asked.from, asked.to);
      const common = labels.reduce((prefix, label) => {
        let length = 0;
        while (length < prefix.length && prefix[length] === label[length]) length += 1;
        return prefix.slice(0, length);
      });
      if (labels.length === 1 || common.length > typed.length) {
        editor.dispatch({
          changes: { from: asked.from, to: asked.to, insert: common },
          selection: { anchor: asked.from + common.length },
          userEvent: 'input.complete',
        });
      }
      if (labels.length > 1) startCompletion(editor);
    }

    const editor = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: initial,
        selection: { anchor: initial.length },
        extensions: [
          Prec.highest(
            keymap.of([
              { key: 'Tab', run: tab },
              { key: 'ArrowUp', run: walk(true) },
              { key: 'ArrowDown', run: walk(false) },
              {
                key: 'Escape',
                run: (editor) => {
                  if (!closeCompletion(editor)) actions.current.stop();
                  return true;
                },
              },
              {
                key: 'Ctrl-c',
                // What is marked is copied, as everywhere.
                run: (editor) => {
                  if (!editor.state.selection.main.empty) return false;
                  actions.current.stop();
                  return true;
                },
              },
              { key: 'Ctrl-l', run: () => (actions.current.clear(), true) },
              { key: 'Ctrl-r', run: () => (actions.current.search(), true) },
            ]),
          ),
          autocompletion({
            activateOnTyping: false,
            defaultKeymap: true,
            icons: false,
            override: [
              async (context): Promise<CompletionResult | null> => {
                const { state, pos } = context;
                const found = placed(state, await actions.current.complete(state.doc.toString(), pos));
                if (found === null || found.items.length === 0) return null;
                return {
                  from: found.from,
                  to: found.to,
                  options: found.items.map((item, index) => ({
                    label: item.label,
                    ...(item.detail && { detail: item.detail }),
                    type: words[item.kind] ?? 'variable',
                    boost: -Math.min(index, 99),
                  })),
                  validFor: /^[\w$]*$/,
                };
              },
            ],
          }),
          keymap.of([
            { key: 'Mod-Enter', run: run(true) },
            { key: 'Ctrl-Enter', run: run(true) },
            { key: 'Shift-Enter', run: insertNewlineAndIndent },
            { key: 'Enter', run: run(false) },
            ...historyKeymap,
            ...defaultKeymap,
          ]),
          history(),
          drawSelection(),
          bracketMatching(),
          indentUnit.of('  '),
          javascript({ typescript: true }),
          syntaxHighlighting(colours),
          look,
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({
            'aria-label': 'Console input',
            spellcheck: 'false',
            autocapitalize: 'off',
            autocorrect: 'off',
          }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) actions.current.changed(update.state.doc.toString());
          }),
          enabled.current.of(writable(isEnabled)),
          hints.current.of(placeholder(hint)),
        ],
      }),
    });
    view.current = editor;
    handle.current = {
      text: () => editor.state.doc.toString(),
      set: (text, cursor) => replace(editor, text, cursor),
      breakLine: () => void insertNewlineAndIndent(editor),
      focus: () => editor.focus(),
    };
    if (isEnabled) editor.focus();
    return () => {
      handle.current = null;
      view.current = null;
      editor.destroy();
    };
  }, []);

  useEffect(() => {
    view.current?.dispatch({
      effects: [enabled.current.reconfigure(writable(isEnabled)), hints.current.reconfigure(placeholder(hint))],
    });
  }, [isEnabled, hint]);

  return <div ref={host} className="editor" />;
}

/** A name that is no identifier is written in brackets, and those take the place of the dot. */
function placed(state: EditorState, found: Completions | null): Completions | null {
  if (found === null) return null;
  const bracketed = found.items.filter((item) => item.label.startsWith('['));
  const plain = found.items.filter((item) => !item.label.startsWith('['));
  if (plain.length > 0 || bracketed.length === 0) return { ...found, items: plain };
  const before = state.sliceDoc(Math.max(0, found.from - 2), found.from);
  return before.endsWith('.') && before !== '?.' ? { ...found, from: found.from - 1 } : found;
}

function writable(isEnabled: boolean) {
  return [EditorState.readOnly.of(!isEnabled), EditorView.editable.of(isEnabled)];
}

function replace(editor: EditorView, text: string, cursor = text.length): void {
  editor.dispatch({
    changes: { from: 0, to: editor.state.doc.length, insert: text },
    selection: { anchor: Math.min(cursor, text.length) },
    scrollIntoView: true,
  });
}
