// The chat page. Its script takes the place of the frame that the server has rendered.
import { createPulseClient } from '@pulse-presence/client';
import { chat } from '@pulse-presence/client/chat';
import { render } from 'preact';
import { base } from '../dom';
import { leaveWithUser, stopAtSignOut } from '../user';
import { App } from './app';
import { Directory } from './directory';
import { forgetDrafts } from './drafts';

const root = document.getElementById('chat')!;
const me = { userId: root.dataset['user']!, name: root.dataset['name']!, avatar: root.dataset['avatar'] || null };

const pulse = createPulseClient({ url: base, chat: chat() });
const directory = new Directory();
directory.learn([me]);
// Another tab may have signed in another user. The drafts of that user are kept.
const forgetMine = () => forgetDrafts(me.userId);
pulse.subscribe(() => leaveWithUser(pulse, me.userId, '/chat', forgetMine));
stopAtSignOut(pulse, forgetMine);

root.replaceChildren();
root.removeAttribute('class');
render(<App pulse={pulse} directory={directory} me={me} />, root);
pulse.start();
