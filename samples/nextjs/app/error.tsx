'use client';

/** Replaces a page that the server failed to render, for example while Pulse restarts. */
export default function ErrorPage() {
  return (
    <main className="narrow">
      <p role="alert">This page is unavailable at the moment.</p>
      <button onClick={() => location.reload()}>Try again</button>
    </main>
  );
}
