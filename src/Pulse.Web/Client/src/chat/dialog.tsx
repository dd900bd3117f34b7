import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Question } from './hooks';
import { Icon } from './icons';
import { texts } from './texts';

/** A modal dialog of the browser, which keeps the focus and closes at Escape. */
export function Dialog({ title, onClose, children }: { readonly title: string; readonly onClose: () => void; readonly children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current!;
    const opener = document.activeElement as HTMLElement | null;
    element.showModal();
    return () => {
      element.close();
      opener?.focus({ preventScroll: true });
    };
  }, []);
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="dialog-title"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onPointerDown={(event) => {
        if (event.target === dialog.current) onClose();
      }}>
      <div class="dialog-box">
        <header class="dialog-head">
          <h2 id="dialog-title">{title}</h2>
          <button type="button" class="tool" aria-label={texts.close} title={texts.close} onClick={onClose}><Icon name="close" /></button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

/** Asks before an action that cannot be undone. */
export function Confirm({ question, onClose }: { readonly question: Question; readonly onClose: () => void }) {
  return (
    <Dialog title={question.title} onClose={onClose}>
      <p>{question.hint}</p>
      <div class="dialog-actions">
        <button type="button" class="quiet small" autofocus onClick={onClose}>{texts.cancel}</button>
        <button type="button" class="small bad" onClick={() => {
          onClose();
          question.run();
        }}>{question.action}</button>
      </div>
    </Dialog>
  );
}

export function Help({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title={texts.helpTitle} onClose={onClose}>
      <dl class="keys">
        {texts.shortcuts.map(([keys, words]) => <div key={keys}><dt>{words}</dt><dd><kbd>{keys}</kbd></dd></div>)}
      </dl>
    </Dialog>
  );
}
