/**
 * The log of one conversation as a client keeps it: entries in order, each once. Edits and deletions are applied to the messages that they
 * are about, as the database does.
 */
export class ChatLog {
  entries = [];

  get last() {
    return this.entries.length;
  }

  /** Applies consecutive entries. Entries that the log already has must be at the same positions. */
  apply(entries) {
    for (const entry of entries) {
      if (entry.seq <= this.last) continue;
      if (entry.seq !== this.last + 1) throw new Error(`Entry ${entry.seq} follows entry ${this.last}: the client must fetch first`);
      this.entries.push(structuredClone(entry));
      const message = this.entries[entry.target - 1];
      if (entry.kind === 'edit') Object.assign(message, { text: entry.text, mentions: entry.mentions, editedSeq: entry.seq });
      if (entry.kind === 'delete') {
        Object.assign(message, { text: null, mentions: [], deletedSeq: entry.seq });
        for (const edit of this.entries) if (edit.kind === 'edit' && edit.target === entry.target) Object.assign(edit, { text: null, mentions: [] });
      }
    }
  }

  /** Loads what follows from `GET /conversations/{id}/entries`. */
  async load(client, id) {
    while (true) {
      const { status, body } = await client.send('GET', `/conversations/${id}/entries?after=${this.last}&limit=500`);
      if (status !== 200) throw new Error(`GET entries answered ${status}: ${JSON.stringify(body)}`);
      if (body.entries.length === 0) return body.head;
      this.apply(body.entries);
    }
  }

  /** Opens the conversation on a socket and keeps the log complete from then on. */
  async follow(client, hub, id) {
    let work = Promise.resolve();
    const step = (run) => (work = work.then(run));
    const open = async () => {
      const opened = await hub.invoke('OpenConversation', id, this.last);
      if (opened.tooFar) await this.load(client, id);
      else this.apply(opened.entries);
      return opened;
    };
    // A socket that is closing fails its last steps. The comparison of the logs then shows missing entries.
    hub.on('EntriesAdded', (run) => run.conversationId === id && step(async () => {
      if (run.from > this.last + 1) await this.load(client, id);
      this.apply(run.entries);
    }).catch((error) => (this.error ??= error)));
    hub.on('Behind', (behind) => behind.conversationId === id && step(open).catch((error) => (this.error ??= error)));
    return step(open);
  }
}
