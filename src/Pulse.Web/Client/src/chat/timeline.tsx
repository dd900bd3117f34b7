import { Component, type ComponentChild, type RefObject, createRef } from 'preact';

/** A row of a timeline. Rows with the same key are the same row. */
export interface TimelineRow {
  readonly key: string;
  /** Pixels, until the row was measured. */
  readonly estimate: number;
}

export interface TimelineProps<R extends TimelineRow> {
  /** Set while the list is in the page. A prop, because a `ref` to this class stays empty with preact 11. */
  readonly handle: { current: Timeline<R> | null };
  /** From the oldest to the newest. A new array each time that a row changes. */
  readonly rows: readonly R[];
  readonly label: string;
  render(row: R): ComponentChild;
  /** Called near the first row, and again after the rows have changed. */
  onNearStart(): void;
  onNearEnd(): void;
  /** Called when the end comes into view or leaves it. */
  onAtEnd(atEnd: boolean): void;
  /** Called with the visible rows after each movement. */
  onVisible(rows: readonly R[]): void;
}

interface State {
  readonly from: number;
  readonly to: number;
}

interface Anchor {
  readonly key: string;
  /** Pixels from the top of the view to the top of the row. */
  readonly offset: number;
}

// Rows beyond the view on each side, so that a fast scroll shows rows instead of a gap.
const marginPx = 900;
const nearPx = 1_200;
const endPx = 48;

/**
 * A long list that renders only the rows near its view and keeps the rows in view where they are, whatever changes above them. While it is
 * at the end it stays there.
 *
 * The browser's own scroll anchoring is off, because it loses its anchor when rows are replaced, and Safari lacks it.
 */
export class Timeline<R extends TimelineRow> extends Component<TimelineProps<R>, State> {
  override state: State = { from: 0, to: 0 };

  readonly #view: RefObject<HTMLDivElement | null> = createRef();
  readonly #list: RefObject<HTMLOListElement | null> = createRef();
  readonly #heights = new Map<string, number>();
  readonly #sizes = new ResizeObserver((entries) => this.#onResize(entries));
  readonly #observed = new Map<string, HTMLElement>();
  #anchor: Anchor | undefined;
  #isAtEnd = true;
  /** Where the view was after its last known move. Scroll events come up to a frame later, one for all moves of that frame. */
  #top = 0;
  /** Whether the view has no box, as behind the details in a narrow window: it then reports the top, whatever the reader sees afterwards. */
  #isHidden = false;
  #hasStarted = false;
  /** Counts the moves to a row or to the end that wait for their rows. Meanwhile the place of the view is temporary. */
  #moving = 0;
  #width = 0;

  constructor(props: TimelineProps<R>) {
    super(props);
    this.state = this.#rangeAround(props.rows, props.rows.length - 1, marginPx);
  }

  /** Moves to the newest row, and stays there. */
  toEnd(): void {
    if (!this.#view.current) return;
    this.#isAtEnd = true;
    const { rows } = this.props;
    this.#moving++;
    this.setState(this.#rangeAround(rows, rows.length - 1, marginPx), () => {
      this.#moving--;
      this.#moveToEnd();
      this.#afterMove();
    });
    this.props.onAtEnd(true);
  }

  /** Shows a row in the upper half of the view. False if the row is missing. */
  toRow(key: string): boolean {
    const view = this.#view.current;
    const at = this.props.rows.findIndex((row) => row.key === key);
    if (!view || at < 0) return false;
    this.#isAtEnd = false;
    const height = this.#heightOf(this.props.rows[at]!);
    this.#anchor = { key, offset: Math.max(16, (view.clientHeight - height) / 3) };
    this.#moving++;
    this.setState(this.#rangeAround(this.props.rows, at, marginPx + view.clientHeight / 2), () => {
      this.#moving--;
      this.#keepAnchor();
      this.#top = view.scrollTop;
      this.#isAtEnd = view.clientHeight > 0 && view.scrollHeight - view.scrollTop - view.clientHeight < endPx;
      this.#afterMove();
    });
    return true;
  }

  /** Reports the place of the view again, for loads that have failed before. */
  look(): void {
    this.#afterMove();
  }

  /** The element of a row that is rendered now. */
  element(key: string): HTMLElement | undefined {
    return this.#observed.get(key);
  }

  override componentDidMount(): void {
    this.props.handle.current = this;
    this.#observeRows();
    this.#sizes.observe(this.#view.current!);
    this.#settle();
    this.#hasStarted = true;
    this.#afterMove();
  }

  override componentWillUnmount(): void {
    if (this.props.handle.current === this) this.props.handle.current = null;
    this.#sizes.disconnect();
  }

  override componentWillReceiveProps(next: TimelineProps<R>): void {
    if (next.rows === this.props.rows) return;
    if (this.#moving === 0) {
      this.#catchUp();
      this.#readAnchor();
    }
    this.setState(this.#rangeFor(next.rows));
  }

  override componentDidUpdate(previous: TimelineProps<R>): void {
    this.#observeRows();
    this.#settle();
    if (previous.rows !== this.props.rows) this.#afterMove();
  }

  render({ rows, render, label }: TimelineProps<R>, { from, to }: State) {
    return (
      <div class="timeline" ref={this.#view} onScroll={this.#onScroll} role="region" aria-label={label} tabIndex={-1}>
        <div class="timeline-fill" />
        <div class="timeline-space" style={{ height: `${this.#sum(rows, 0, from)}px` }} />
        <ol class="timeline-rows" ref={this.#list}>
          {rows.slice(from, to).map((row) => (
            <li key={row.key} data-key={row.key}>{render(row)}</li>
          ))}
        </ol>
        <div class="timeline-space" style={{ height: `${this.#sum(rows, to, rows.length)}px` }} />
      </div>
    );
  }

  readonly #onScroll = (): void => {
    const view = this.#view.current!;
    // An event of an earlier move would undo the one that is under way.
    if (this.#moving > 0) return;
    const isNearEnd = view.scrollHeight - view.scrollTop - view.clientHeight < endPx;
    // Rows that grew after a move to the end leave it above the end. The reader has moved the view only if it went upwards.
    if (isNearEnd || view.scrollTop < this.#top - 1) this.#isAtEnd = isNearEnd;
    if (this.#isAtEnd && !isNearEnd) this.#settle();
    this.#top = view.scrollTop;
    this.#readAnchor();
    const next = this.#rangeFor(this.props.rows);
    const { from, to } = this.state;
    // Rows stay rendered until they are far away: each change costs a layout.
    if (next.from < from || next.to > to || from < next.from - 20 || to > next.to + 20) this.setState(next);
    this.#afterMove();
  };

  #afterMove(): void {
    const view = this.#view.current;
    // During a move the view is on its way to the place where the reader will see it.
    if (!view || !this.#hasStarted || this.#moving > 0 || view.clientHeight === 0) return;
    const { rows, onNearStart, onNearEnd, onAtEnd, onVisible } = this.props;
    onAtEnd(this.#isAtEnd);
    if (view.scrollTop < nearPx) onNearStart();
    if (view.scrollHeight - view.scrollTop - view.clientHeight < nearPx) onNearEnd();
    const { top, bottom } = view.getBoundingClientRect();
    const visible = rows.slice(this.state.from, this.state.to).filter(({ key }) => {
      const box = this.#observed.get(key)?.getBoundingClientRect();
      return box && box.bottom > top && box.top < bottom;
    });
    onVisible(visible);
  }

  /** The first row in view, and where it is. */
  #readAnchor(): void {
    const view = this.#view.current;
    if (!view || view.clientHeight === 0) return;
    const top = view.getBoundingClientRect().top;
    for (const element of this.#list.current!.children) {
      const box = element.getBoundingClientRect();
      if (box.bottom > top + 1 && box.top < top + view.clientHeight) {
        this.#anchor = { key: (element as HTMLElement).dataset['key']!, offset: box.top - top };
        return;
      }
    }
    // The scroll bar was dragged to rows that are yet to be rendered.
    let offset = -view.scrollTop;
    for (const row of this.props.rows) {
      const height = this.#heightOf(row);
      if (offset + height > 0) {
        this.#anchor = { key: row.key, offset };
        return;
      }
      offset += height;
    }
  }

  #settle(): void {
    if (this.#moving === 0) this.#catchUp();
    if (this.#isHidden) return;
    if (this.#isAtEnd) this.#moveToEnd();
    else this.#keepAnchor();
  }

  /** Takes up a move of the reader whose scroll event is still to come: otherwise the next move of the list would undo it. */
  #catchUp(): void {
    const view = this.#view.current!;
    const wasHidden = this.#isHidden;
    this.#isHidden = view.clientHeight === 0;
    const moved = wasHidden || this.#isHidden ? 0 : view.scrollTop - this.#top;
    const below = view.scrollHeight - view.scrollTop - view.clientHeight;
    this.#top = view.scrollTop;
    // At the end, the browser itself moves the view up when rows become shorter.
    if (Math.abs(moved) <= 1 || (moved < 0 && below < 2)) return;
    if (moved < 0) this.#isAtEnd = below < endPx;
    if (this.#anchor) this.#anchor = { ...this.#anchor, offset: this.#anchor.offset - moved };
  }

  #moveToEnd(): void {
    this.#moveTo(this.#view.current!.scrollHeight);
    this.#readAnchor();
  }

  #moveTo(top: number): void {
    const view = this.#view.current!;
    view.scrollTop = top;
    this.#top = view.scrollTop;
  }

  #keepAnchor(): void {
    const view = this.#view.current!;
    const element = this.#anchor && this.#observed.get(this.#anchor.key);
    if (!element) return;
    const moved = element.getBoundingClientRect().top - view.getBoundingClientRect().top - this.#anchor!.offset;
    if (Math.abs(moved) >= 0.5) this.#moveTo(view.scrollTop + moved);
  }

  #observeRows(): void {
    const present = new Set<string>();
    for (const child of this.#list.current!.children) {
      const element = child as HTMLElement;
      const key = element.dataset['key']!;
      present.add(key);
      if (this.#observed.get(key) === element) continue;
      const former = this.#observed.get(key);
      if (former) this.#sizes.unobserve(former);
      this.#observed.set(key, element);
      const { height } = element.getBoundingClientRect();
      if (height > 0) this.#heights.set(key, height);
      this.#sizes.observe(element);
    }
    for (const [key, element] of this.#observed) {
      if (present.has(key)) continue;
      this.#sizes.unobserve(element);
      this.#observed.delete(key);
    }
  }

  #onResize(entries: readonly ResizeObserverEntry[]): void {
    if (this.#view.current!.clientHeight === 0) {
      this.#isHidden = true;
      return;
    }
    for (const { target, contentRect } of entries) {
      if (target === this.#view.current) {
        // Lines break elsewhere, so all former heights are wrong.
        if (contentRect.width !== this.#width) {
          for (const key of this.#heights.keys()) if (!this.#observed.has(key)) this.#heights.delete(key);
          this.#width = contentRect.width;
        }
      } else {
        const key = (target as HTMLElement).dataset['key']!;
        if (this.#observed.get(key) === target) this.#heights.set(key, target.getBoundingClientRect().height);
      }
    }
    this.#settle();
    this.setState(this.#rangeFor(this.props.rows));
  }

  #rangeFor(rows: readonly R[]): State {
    const view = this.#view.current?.clientHeight ?? 800;
    if (this.#isAtEnd || !this.#anchor) return this.#rangeAround(rows, rows.length - 1, marginPx + view);
    let at = rows.findIndex(({ key }) => key === this.#anchor!.key);
    if (at < 0) at = this.#nextKept(rows);
    return this.#rangeAround(rows, at, marginPx + view);
  }

  // The anchor's row is gone: the next row that is in both lists takes its place.
  #nextKept(rows: readonly R[]): number {
    const old = this.props.rows;
    const view = this.#view.current!;
    const kept = new Map(rows.map(({ key }, index) => [key, index]));
    for (let i = old.findIndex(({ key }) => key === this.#anchor!.key) + 1; i < old.length; i++) {
      const { key } = old[i]!;
      const element = this.#observed.get(key);
      const at = kept.get(key);
      if (at === undefined || !element) continue;
      this.#anchor = { key, offset: element.getBoundingClientRect().top - view.getBoundingClientRect().top };
      return at;
    }
    return rows.length - 1;
  }

  #rangeAround(rows: readonly R[], at: number, px: number): State {
    let from = Math.max(0, at);
    for (let height = 0; from > 0 && height < px; from--) height += this.#heightOf(rows[from - 1]!);
    let to = Math.min(rows.length, at + 1);
    for (let height = 0; to < rows.length && height < px; to++) height += this.#heightOf(rows[to]!);
    return { from, to };
  }

  #heightOf(row: R): number {
    return this.#heights.get(row.key) ?? row.estimate;
  }

  #sum(rows: readonly R[], from: number, to: number): number {
    let height = 0;
    for (let i = from; i < to; i++) height += this.#heightOf(rows[i]!);
    return height;
  }
}
