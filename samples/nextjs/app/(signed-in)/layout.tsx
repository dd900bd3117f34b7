import type { ReactNode } from 'react';
import { signOut } from '@/auth';
import { Connection } from '@/components/connection';
import { me, pulseUrl } from '@/lib/pulse';

export default async function SignedIn({ children }: { children: ReactNode }) {
  const { id, name } = await me();
  return (
    <Connection key={id} url={pulseUrl}>
      <header>
        <a href="/dashboard">Pulse with Next.js</a>
        <span>{name}</span>
        <form action={end}>
          <button>Sign out</button>
        </form>
      </header>
      {children}
    </Connection>
  );
}

async function end(): Promise<void> {
  'use server';
  await signOut({ redirectTo: '/signin' });
}
