import type { ExtensionHost, Running } from '../extension.js';
import type { ChatMembers, ChatOptions } from './types.js';

/** The chat of one client. */
export class ChatClient implements Running<ChatMembers> {
  constructor(_host: ExtensionHost, _options: ChatOptions) {
    throw new Error('Chat is not complete yet.');
  }

  get members(): ChatMembers {
    throw new Error('Chat is not complete yet.');
  }

  onOpen(): void {}

  onForget(): void {}

  onEnd(): void {}
}
