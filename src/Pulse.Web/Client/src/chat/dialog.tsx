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
    // The toolbar of a message goes when the dialog takes the focus.
    const message = opener?.closest('article');
    element.showModal();
    return () => {
      element.close();
      const next = [opener, message].find((known) => known?.isConnected) ?? document.querySelector<HTMLElement>('.composer textarea');
      next?.focus({ preventScroll: true });
    };
  }, []);
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="dialog-title"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onPointerDown={(event) => {
        // A press beside the dialog closes it, unless the user's input would be lost.
        if (event.target === dialog.current && !hasInput(event.currentTarget)) onClose();
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

function hasInput(dialog: HTMLElement): boolean {
  return dialog.querySelector('.chips') !== null || [...dialog.querySelectorAll<HTMLInputElement>('input[type=text]')].some(({ value }) => value.trim() !== '');
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
