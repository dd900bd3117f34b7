import type { ReactNode } from 'react';
import { signOut } from '@/auth';
import { Connection } from '@/components/connection';
import { SignOut } from '@/components/sign-out';
import { me, pulseUrl } from '@/lib/pulse';

export default async function SignedIn({ children }: { children: ReactNode }) {
  const { id, name } = await me();
  return (
    <Connection key={id} url={pulseUrl} userId={id}>
      <header>
        <a href="/dashboard">Pulse with Next.js</a>
        <span>{name}</span>
        <SignOut end={end} />
      </header>
      {children}
    </Connection>
  );
}

async function end(): Promise<void> {
  'use server';
  await signOut({ redirectTo: '/signin' });
}
