import type { PulseClient } from '@pulse-presence/client';
import type { ChatMembers } from '@pulse-presence/client/chat';

export type ChatPulse = PulseClient & ChatMembers;
