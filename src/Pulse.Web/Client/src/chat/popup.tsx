import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { useDismiss } from './hooks';

/** A box beside the element that opened it, within the window. It closes at a press elsewhere, at Escape, and when the page scrolls. */
export function Popup({ anchor, label, role, onClose, children }: {
  readonly anchor: HTMLElement;
  readonly label: string;
  readonly role: 'dialog' | 'menu';
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}) {
  const box = useRef<HTMLDivElement>(null);
  const close = () => {
    onClose();
    anchor.focus({ preventScroll: true });
  };
  useDismiss(box, close);
  useLayoutEffect(() => {
    const element = box.current!;
    const at = anchor.getBoundingClientRect();
    const { width, height } = element.getBoundingClientRect();
    const gap = 6;
    const isRtl = getComputedStyle(anchor).direction === 'rtl';
    const left = isRtl ? at.left : at.right - width;
    const top = at.top - height - gap >= 0 ? at.top - height - gap : at.bottom + gap;
    element.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
    element.style.top = `${Math.max(8, Math.min(top, innerHeight - height - 8))}px`;
    element.querySelector<HTMLElement>('button')?.focus({ preventScroll: true });
  }, []);
  return (
    <div class="popup" ref={box} role={role} aria-label={label} onKeyDown={moveFocus}>
      {children}
    </div>
  );
}

/** The arrow keys go through the buttons, in a grid of emoji also from line to line. */
function moveFocus(event: KeyboardEvent): void {
  const buttons = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLButtonElement>('button')];
  const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
  if (at < 0) return;
  const columns = Math.max(1, buttons.filter(({ offsetTop }) => offsetTop === buttons[0]!.offsetTop).length);
  const forward = getComputedStyle(buttons[0]!).direction === 'rtl' ? -1 : 1;
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: columns, ArrowUp: -columns, ArrowRight: forward, ArrowLeft: -forward, Home: -at, End: buttons.length - 1 - at,
  };
  const step = steps[event.key];
  if (step === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  buttons[Math.max(0, Math.min(buttons.length - 1, at + step))]!.focus();
}
