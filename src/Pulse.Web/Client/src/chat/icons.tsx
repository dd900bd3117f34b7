const shapes = {
  back: 'M15 5l-7 7 7 7',
  send: 'M5 12h13M12 5l7 7-7 7',
  smile: 'M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM8.5 14.2a4.3 4.3 0 0 0 7 0M9 9.7v.01M15 9.7v.01',
  reply: 'M9.5 6 4.5 11l5 5M5 11h8.5a6 6 0 0 1 6 6v1',
  edit: 'M4.5 19.5h3.5L18.8 8.7a1.8 1.8 0 0 0 0-2.5l-1-1a1.8 1.8 0 0 0-2.5 0L4.5 16zM13.5 7l3.5 3.5',
  trash: 'M5 7h14M10 7V5h4v2M7 7l.8 12h8.4L17 7M10.5 11v4.5M13.5 11v4.5',
  copy: 'M9 9h10v10H9zM15 9V5H5v10h4',
  close: 'M6 6l12 12M18 6 6 18',
  plus: 'M12 5v14M5 12h14',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5 20.5 20.5',
  down: 'M12 5v13M6 12.5l6 6 6-6',
  hash: 'M9.5 4 7.5 20M16.5 4l-2 16M4.5 9h15.5M4 15h15.5',
  group: 'M9 11.5a3.3 3.3 0 1 0 0-6.6 3.3 3.3 0 0 0 0 6.6zM3 19.5c0-3.3 2.7-5.3 6-5.3s6 2 6 5.3M16 5.2a3.2 3.2 0 0 1 0 6.1M17.5 14.6c2.1.6 3.5 2.3 3.5 4.9',
  info: 'M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM12 11v5.5M12 7.7v.01',
  mute: 'M6.5 16.5h11l-1.5-2.3V10.5a4 4 0 0 0-6.7-3M8 10v4.2l-1.5 2.3M10.3 19.3a1.9 1.9 0 0 0 3.4 0M4 4l16 16',
  compass: 'M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM15.5 8.5l-2 5-5 2 2-5z',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  checks: 'M2.5 12.5 7 17l8-9.5M11.5 15.8l1.2 1.2 8.8-9.5',
  clock: 'M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM12 7.5V12l3 2',
  warn: 'M12 4.5 21 19.5H3zM12 10.5v4M12 16.9v.01',
  keyboard: 'M3.5 6.5h17v11h-17zM7 10v.01M10.3 10v.01M13.7 10v.01M17 10v.01M8 14h8',
  ban: 'M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM6 6l12 12',
  leave: 'M14 4.5H6v15h8M10.5 12H20M16.5 8.5 20 12l-3.5 3.5',
} as const;

export type IconName = keyof typeof shapes;

/** A line icon. It is decoration, because the button or the text beside it has the words. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={shapes[name]} />
    </svg>
  );
}
