import { once } from 'node:events';
import { createServer } from 'node:net';

const given = new Set();

/**
 * A free port below the range from which the kernel takes those of outgoing connections. A server that binds it later, or again, finds it
 * free.
 */
export async function freePort() {
  for (;;) {
    const server = createServer().listen(10_000 + Math.floor(Math.random() * 20_000));
    try {
      await once(server, 'listening');
    } catch (error) {
      if (error.code === 'EADDRINUSE') continue;
      throw error;
    }
    const { port } = server.address();
    await once(server.close(), 'close');
    if (given.has(port)) continue;
    given.add(port);
    return port;
  }
}
